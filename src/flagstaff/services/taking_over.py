"""How do flags get the gates they have in another system?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from flagstaff.commands.model import ImportFlags
from flagstaff.commands.outcome import Json, Outcome
from flagstaff.errors import NotFound, Refused, SnapshotError, UsageError
from flagstaff.flags.actor import OPT_OUT, check_actor_id
from flagstaff.flags.expression import check_expression
from flagstaff.flags.gates import Gates
from flagstaff.services.flags import Place, restore_gates, running_rollout
from flagstaff.services.policies import judging
from flagstaff.services.policies.judging import Objection, Request
from flagstaff.services.unit import Unit
from flagstaff.store import flags as store

SHOWN = 10


def import_flags(unit: Unit, command: ImportFlags) -> Outcome:
    """Set the gates of all flags, or of none; what is so already is left as it is.

    Raises:
        NotFound: flags are not defined.
        Refused: a policy is in the way of one of them.
        UsageError: gates are malformed.
    """
    wanted = _wanted(command)
    environments = tuple(wanted)
    unit.context.check_environments(environments)
    by_flag = _by_flag(wanted)
    _check_defined(unit, by_flag)
    judging.lock(unit, environments)
    before = {name: _gates(unit, name) for name in environments}
    changes = _changes(by_flag, before)
    _check_policies(unit, command, changes)
    counts = dict.fromkeys(environments, 0)
    notes: list[str] = []
    for flag, places in changes.items():
        for environment, gates in places.items():
            place = Place(flag=flag, environment=environment, reason=command.reason)
            text = f"{flag} imported from {command.origin}"
            restore_gates(unit, place, gates, action="flag.import", text=text)
            counts[environment] += 1
        notes += [f"{flag}: {each}" for each in running_rollout(unit, flag)]
    lines = [
        f"{name}: {counts[name]} of {len(wanted[name])} flags changed" for name in environments
    ]
    data: dict[str, Json] = {name: counts[name] for name in environments}
    where = "".join(f" --{name}" for name in environments)
    return Outcome(
        text="\n".join([*lines, *notes]), data=data, next=f"flagstaff feature list{where}"
    )


def _wanted(command: ImportFlags) -> dict[str, dict[str, Gates]]:
    found: dict[str, dict[str, Gates]] = {}
    for environment, flags in command.gates.items():
        if not isinstance(flags, Mapping):
            raise UsageError(f"{environment}: its flags are no object", hint="send gates by flag")
        found[environment] = {
            str(flag): _read(f"{environment}: {flag}", gates) for flag, gates in flags.items()
        }
    if not any(found.values()):
        raise UsageError("there are no flags to import", hint="name at least one, with its gates")
    return found


def _read(place: str, data: object) -> Gates:
    """Return gates that may be stored."""
    try:
        gates = Gates.from_json(data)
        if gates.expression is not None:
            check_expression(gates.expression)
        for each in gates.actors:
            check_actor_id(each.removesuffix(OPT_OUT))
    except (SnapshotError, UsageError) as exc:
        hint = exc.hint if isinstance(exc, UsageError) else "write gates as a snapshot has them"
        raise UsageError(f"{place}: {exc.message}", hint=hint) from exc
    return gates


def _by_flag(wanted: Mapping[str, Mapping[str, Gates]]) -> dict[str, dict[str, Gates]]:
    found: dict[str, dict[str, Gates]] = defaultdict(dict)
    for environment, flags in wanted.items():
        for flag, gates in flags.items():
            found[flag][environment] = gates
    return found


def _check_defined(unit: Unit, flags: Mapping[str, object]) -> None:
    known = unit.context.definitions()
    missing = sorted(name for name in flags if name not in known)
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise NotFound(
            f"these flags are not defined under {unit.context.project.flags}: "
            f"{', '.join(missing[:SHOWN])}{more}",
            hint="write their definitions first: flagstaff feature import … --write-definitions",
        )


def _gates(unit: Unit, environment: str) -> dict[str, Gates]:
    found = store.find(unit.connection, environment=environment)
    return {each.flag: each.gates for each in found}


def _changes(
    by_flag: Mapping[str, Mapping[str, Gates]], before: Mapping[str, Mapping[str, Gates]]
) -> dict[str, dict[str, Gates]]:
    """Return what is not as wanted yet."""
    found = {
        flag: {name: gates for name, gates in places.items() if before[name].get(flag) != gates}
        for flag, places in by_flag.items()
    }
    return {flag: places for flag, places in found.items() if places}


def _check_policies(
    unit: Unit, command: ImportFlags, changes: Mapping[str, Mapping[str, Gates]]
) -> None:
    """Ask every policy about every flag, so that all that is in the way is said at once.

    Raises:
        Refused: with the first ten of them.
    """
    objections: list[Objection] = []
    for flag, places in changes.items():
        request = Request(
            flag=flag, after=places, overrides=command.overrides, reason=command.reason
        )
        objections += judging.judge(unit, request)
    if objections:
        refusal, more = judging.refused(objections[:SHOWN]), len(objections) - SHOWN
        what = refusal.message + (f"\nand {more} more" if more > 0 else "")
        remedies = refusal.hint.splitlines()
        # What is true of ten flags is said once: the first remedy, and how to overrule it.
        raise Refused(what, hint="\n".join(dict.fromkeys((remedies[0], remedies[-1]))))
