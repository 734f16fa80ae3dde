"""How does somebody begin the rollout of a rename?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from flagstaff.cli.options import Common
from flagstaff.cli.workers_broker import application
from flagstaff.commands.completing_here import flags
from flagstaff.commands.outcome import Json, Outcome
from flagstaff.commands.tree import SETTINGS, Tree
from flagstaff.errors import Conflict, NotFound, UsageError

if TYPE_CHECKING:
    from datetime import timedelta
    from decimal import Decimal

    from flagstaff.definitions.plans import Surroundings
    from flagstaff.definitions.project import JobRename, Project


@click.group(cls=Tree, context_settings=SETTINGS)
def plan() -> None:
    """Write the plan of a rollout that renames jobs."""


@plan.command(context_settings=SETTINGS)
@click.argument("flag", metavar="FLAG", shell_complete=flags)
@click.option("old", "--old", multiple=True, metavar="NAME", help="The name that is to disappear.")
@click.option("new", "--new", multiple=True, metavar="NAME", help="The name that is to stay.")
@click.option(
    "old_queue", "--old-queue", multiple=True, metavar="QUEUE", help="Where old jobs wait."
)
@click.option(
    "new_queue", "--new-queue", multiple=True, metavar="QUEUE", help="Where new jobs wait."
)
@click.option(
    "--app", metavar="MODULE:APP", help="Take the renames that your application declares."
)
@click.option("--broker", default="", metavar="NAME", help="Under `brokers:` in flagstaff.yml.")
@click.option("--environment", default="production", metavar="NAME", help="Whose flag is opened.")
@click.option("--percentages", default="", metavar="1,10,50", help="Else those of the project.")
@click.option("--dwell", default="", metavar="DURATION", help="At each; else the project's.")
@click.option("--hold-back", default="", metavar="5", help="In 100 keep the old name for the term.")
@click.option("--term", default="", metavar="DURATION", help="Of verification; else the project's.")
@click.option("--stable", default="5m", metavar="DURATION", help="So long nothing old is found.")
@click.option("--migrate", is_flag=True, help="Rename what waits, instead of waiting for it.")
@click.option("--keep-queues", is_flag=True, help="Do not delete the old queues in the end.")
@click.pass_obj
def rename(common: Common, /, *, flag: str, **options: Any) -> Outcome:
    """Write the plan that renames the jobs of FLAG, into the folder of plans.

    The names are given (--old and --new, as often as jobs are renamed), or the application declares
    them (--app), or they stand under `renames:` in flagstaff.yml.
    """
    # Loads YAML, which help does not need.
    from flagstaff.cli.new_plan import write_file  # noqa: PLC0415
    from flagstaff.cli.plan_sources import project_here  # noqa: PLC0415
    from flagstaff.definitions.plans import read_plan  # noqa: PLC0415

    around = project_here(flag=flag)
    if flag not in around.known_flags:
        raise NotFound(
            f"no flag {flag} is defined under {around.project.flags}",
            hint="define it in YAML first",
        )
    renames, by = _renames(flag, around.project, options)
    path = around.root / around.project.plans.folder / f"{flag}.yml"
    text = _written(around, flag, renames, by, options)
    read = read_plan(text, around, source=str(path)).plan
    if path.exists():
        raise Conflict(f"{path} is there already", hint=f"flagstaff plan show {path}")
    if not common.dry_run:
        write_file(path, text)
    verb = "would write" if common.dry_run else "wrote"
    is_declared = bool(options["app"])
    warnings = [
        *_warnings(flag, around.project, renames, guarded=bool(read.guards), declared=is_declared),
        *_held(flag, around.project, options["environment"]),
    ]
    notes = "".join(f"\n\nwarning: {each}" for each in warnings)
    told: list[Json] = [
        {name: getattr(each, name) for name in ("old", "new", "old_queue", "new_queue")}
        for each in renames
    ]
    data: dict[str, Json] = {
        "path": str(path),
        "plan": text,
        "written": not common.dry_run,
        "renames": told,
        "warnings": [*warnings],
    }
    text = f"{verb} {path}:\n\n{text.rstrip()}{notes}"
    return Outcome(text=text, data=data, next=f"flagstaff rollout start {flag} --plan {path}")


def _written(
    around: Surroundings,
    flag: str,
    renames: tuple[JobRename, ...],
    by: str,
    options: dict[str, Any],
) -> str:
    from flagstaff.definitions.duration import parse_duration  # noqa: PLC0415 as above
    from flagstaff.definitions.plans.renaming import RenamePlan, rename_plan  # noqa: PLC0415

    def length(key: str, default: timedelta) -> timedelta:
        return parse_duration(options[key]) if options[key] else default

    project = around.project
    return rename_plan(
        RenamePlan(
            flag=flag,
            renames=renames,
            broker=options["broker"] or _only(project),
            environment=options["environment"],
            percentages=_percentages(options["percentages"]) or project.ramp.percentages,
            dwell=length("dwell", project.ramp.dwell),
            hold_back=_held_back(project, options),
            by=by,
            term=length("term", project.verification_term),
            stable=parse_duration(options["stable"]),
            migrate=options["migrate"],
            delete_queues=not options["keep_queues"],
        )
    )


def _held_back(project: Project, options: dict[str, Any]) -> Decimal | None:
    """Return what is asked for; else what the project holds back, with its own percentages."""
    from flagstaff.definitions.percentage import parse_hold_back  # noqa: PLC0415 as above

    if options["hold_back"]:
        return parse_hold_back(options["hold_back"])
    return None if options["percentages"] else project.ramp.hold_back


def _renames(
    flag: str, project: Project, options: dict[str, Any]
) -> tuple[tuple[JobRename, ...], str]:
    """Return the renames of the flag, and what percentages are of."""
    named = any(options[key] for key in ("old", "new", "old_queue", "new_queue"))
    if named and options["app"]:
        raise UsageError(
            "`workers plan rename`: names are given, and an application",
            hint="leave out --app, or the names",
        )
    if named:
        return _given(flag, options), "actors"
    if options["app"]:
        return _declared(flag, options["app"])
    found = tuple(each for each in project.renames if each.flag == flag)
    if not found:
        raise UsageError(
            f"nothing says which jobs {flag} renames",
            hint="give --old and --new, or --app, or write them under `renames:` in flagstaff.yml",
        )
    return found, "actors"


def _given(flag: str, options: dict[str, Any]) -> tuple[JobRename, ...]:
    from flagstaff.definitions.project import JobRename  # noqa: PLC0415 as above

    old, new = options["old"], options["new"]
    queues = options["old_queue"], options["new_queue"]
    if len(old) != len(new) or not old:
        raise UsageError(
            f"--old is given {len(old)} times, --new {len(new)} times",
            hint="give both for each job, in the same order",
        )
    if any(len(each) not in {0, len(old)} for each in queues) or len(queues[0]) != len(queues[1]):
        raise UsageError(
            f"--old-queue is given {len(queues[0])} times, --new-queue {len(queues[1])} times",
            hint=f"give both {len(old)} times, or neither where jobs stay in their queues",
        )
    same = [name for name, other in zip(old, new, strict=True) if name == other]
    if same:
        raise UsageError(f"{same[0]} has the same name before and after", hint="change --new")
    none = (None,) * len(old)
    pairs = zip(old, new, queues[0] or none, queues[1] or none, strict=True)
    return tuple(
        JobRename(flag=flag, old=first, new=last, old_queue=left, new_queue=right)
        for first, last, left, right in pairs
    )


def _declared(flag: str, app: str) -> tuple[tuple[JobRename, ...], str]:
    from flagstaff.definitions.project import JobRename  # noqa: PLC0415 as above

    found = application(app)
    from flagstaff.workers import renames  # noqa: PLC0415 an extra

    declared = [each for each in renames.declared(found) if each.flag == flag]
    if not declared:
        others = sorted({each.flag for each in renames.declared(found)})
        raise NotFound(
            f"{app} declares no rename with the flag {flag}",
            hint=f"it has some with {', '.join(others)}"
            if others
            else "declare one: see docs/howto/rename-a-job.md",
        )
    by_time = {each.actor is renames.BY_TIME for each in declared}
    if len(by_time) > 1:
        raise UsageError(
            f"some jobs of {flag} are asked about by time, others by actor",
            hint="give each kind a flag of its own",
        )
    found_renames = tuple(
        JobRename(
            flag=flag,
            old=each.old,
            new=each.new,
            old_queue=each.old_queue or None,
            new_queue=each.new_queue or None,
        )
        for each in declared
    )
    return found_renames, "time" if by_time == {True} else "actors"


def _only(project: Project) -> str:
    if len(project.brokers) == 1:
        return next(iter(project.brokers))
    known = ", ".join(project.brokers)
    raise UsageError(
        "nothing says on which broker the jobs are",
        hint=f"give --broker, one of: {known}"
        if known
        else "declare it in flagstaff.yml: `brokers: {main: {url: redis://redis.internal:6379/0}}`",
    )


def _percentages(text: str) -> tuple[Decimal, ...]:
    from flagstaff.flags.percentage import HUNDRED, parse_percentage  # noqa: PLC0415 as above

    found = tuple(parse_percentage(each.strip()) for each in text.split(",") if each.strip())
    if list(found) != sorted(set(found)) or not all(0 < each < HUNDRED for each in found):
        raise UsageError(
            f"--percentages is {text}",
            hint="write numbers above 0 and below 100 that rise; 100 follows by itself",
        )
    return found


def _warnings(
    flag: str, project: Project, renames: tuple[JobRename, ...], *, guarded: bool, declared: bool
) -> list[str]:
    found = [] if guarded else ["no guard watches this rollout: see docs/reference/guards.md"]
    settled = {each.old for each in project.renames if each.flag == flag}
    missing = [each for each in renames if each.old not in settled]
    if missing and not declared:
        entries = ", ".join(
            f"{{flag: {flag}, old: {each.old}, new: {each.new}}}" for each in missing
        )
        found.append(
            "for the cleanup to find old names, declare them in the code with `renames.declare`, "
            f"or write under `renames:` in flagstaff.yml: {entries}"
        )
    return found


def _held(flag: str, project: Project, environment: str) -> list[str]:
    """Return what will hold the plan, as it opens the flag in one environment alone."""
    if environment != "production" or "staging" not in project.environments:
        return []
    if not project.policies.consistency:
        return []
    command = f"flagstaff feature set {flag} true --staging"
    why = "the policy `consistency` holds the first percentage until the flag is on in staging"
    return [f"{why}: once workers there know both names, {command}"]
