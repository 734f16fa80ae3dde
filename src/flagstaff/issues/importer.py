"""Which plan does an issue describe?"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import timedelta

from flagstaff.definitions.plans.guards import guards_of
from flagstaff.definitions.project import Project
from flagstaff.errors import ImportProblems
from flagstaff.issues.alternatives import choices_in
from flagstaff.issues.asked import check_choices
from flagstaff.issues.chosen import Chosen, chosen_steps
from flagstaff.issues.closing import without_closing_sections
from flagstaff.issues.command_steps import filled
from flagstaff.issues.facts import (
    Named,
    cross_post_of,
    flag_of,
    owner_of,
    team_channel_of,
    title_of,
)
from flagstaff.issues.ids import with_ids
from flagstaff.issues.imported import Imported
from flagstaff.issues.lines import split_lines
from flagstaff.issues.outline import Heading, Outline, outline_of
from flagstaff.issues.placeholders import CLEANUP, PERCENTAGE, Answers, left_in, normal
from flagstaff.issues.ramp import rival_ramps, skipped_ramps
from flagstaff.issues.recognise import wait_between_rungs
from flagstaff.issues.reporting import reports_of, rollback_notes
from flagstaff.issues.sections import Section
from flagstaff.issues.setting import Setting, unknown_flag_remedy
from flagstaff.issues.steps import Builder
from flagstaff.issues.telling import announce_to
from flagstaff.issues.wording import plain
from flagstaff.rollouts.plan import Plan

MOST_STEPS = 1000
_FLAG_NAME = "feature-flag-name"


def flag_named_in(text: str, known_flags: Container[str]) -> str:
    """Return the flag that the issue is about, empty when it names none."""
    lines = split_lines(text)
    outline = outline_of(lines)
    named = flag_of(title_of(lines, outline), outline, known_flags)
    return named.flag if named else ""


def import_issue(  # noqa: PLR0913 each is a fact of its own about the issue
    text: str,
    *,
    project: Project,
    known_flags: Container[str],
    resolve: Mapping[str, str] | None = None,
    without_actor: bool | None = None,
    choices: Mapping[str, str] | None = None,
    source: str = "issue",
) -> Imported:
    """Return the plan that the issue describes.

    Args:
        text: The issue as Markdown, or as copied from its page.
        project: The settings: ramp, channels, placeholders, renames, guards.
        known_flags: The flags that have a definition.
        resolve: Answers to placeholders, by their names without the angle brackets.
        without_actor: Whether the code asks for the flag without an actor; `None` when nobody
            knows.
        choices: Which way to take where one box offers several: the name of the way by the line of
            the box, or by itself for every box that offers it.
        source: What to call the issue in messages, such as its file.

    Raises:
        ImportProblems: With everything that stands in the way, at once.
    """
    lines = split_lines(text)
    outline = outline_of(lines)
    title = title_of(lines, outline)
    resolve = resolve or {}
    given = next((value for key, value in resolve.items() if normal(key) == _FLAG_NAME), "")
    named = Named(flag=given, line=0) if given else flag_of(title, outline, known_flags)
    team = project.channels.get("team", "") or team_channel_of(outline)
    answers = Answers(
        flag=named.flag if named else "",
        team=team,
        resolve=resolve,
        placeholders=project.placeholders,
    )
    setting = Setting(
        source=source,
        flag=answers.flag,
        owner=owner_of(text, outline),
        project=project,
        answers=answers,
        known_flags=known_flags,
        announce_to=announce_to(cross_post_of(outline), answers, project.channels),
        dwell=_dwell(project, outline),
        choices=choices or {},
    )
    _check_flag(setting, named)
    chosen = chosen_steps(outline)
    _check_number(setting, chosen)
    outline = without_closing_sections(outline, chosen, setting)
    chosen = chosen_steps(outline)
    ways = choices_in(chosen, setting, without_actor=without_actor)
    check_choices(setting, ways, rival_ramps(chosen, setting))
    in_one_box = {option.at[0] for way in ways for option in way.options}
    builder = Builder(
        setting=setting,
        chosen=chosen,
        skipped=skipped_ramps(
            [step for step in chosen if step.index not in in_one_box],
            setting,
            without_actor=without_actor,
        ),
        choices=ways,
        paragraphs=[item for item in outline.items if item.section is Section.STEPS],
        anchors={line.number: line.text for line in lines},
    )
    drafts = builder.steps()
    if not drafts and not setting.problems:
        _no_steps(setting, outline)
    if setting.problems:
        raise ImportProblems(tuple(sorted(setting.problems, key=lambda each: each.line)))
    guards, notes = guards_of(project, setting.flag)
    plan = Plan(
        flag=setting.flag,
        title=_title(title, setting),
        steps=with_ids(drafts),
        guards=guards,
        statistics=project.statistics,
        expiry=project.expiry,
        announce_to=setting.announce_to,
        owner=setting.owner,
        notes=(*notes, *rollback_notes(outline, setting)),
    )
    return Imported(
        plan=plan,
        flag=setting.flag,
        lines=reports_of(zip(drafts, plan.steps, strict=True), ways, lines, outline),
        choices=ways,
        unresolved=_unresolved(chosen, setting),
    )


def _check_number(setting: Setting, chosen: Sequence[Chosen]) -> None:
    """Refuse what no team walks through, before each step is looked at beside the others."""
    number = sum(max(1, len(step.commands)) for step in chosen)
    if number > MOST_STEPS:
        setting.problem(
            0,
            f"there are {number:,} steps, and a rollout has at most {MOST_STEPS:,}",
            "leave out what is no step of this rollout",
        )
        raise ImportProblems(tuple(setting.problems))


def _no_steps(setting: Setting, outline: Outline) -> None:
    """Note that there are none, and the heading below which they were not looked for."""
    remedy = "write `- [ ] …` items, or `/chatops run …` commands in items"
    for item in outline.items:
        if item.section is Section.INFORMATION and item.marker is not None and item.headings:
            what = f"there are no steps: what stands below `{item.headings[-1]}` is read as"
            setting.problem(item.line, f"{what} information", "write `- [ ] …` items there")
            return
    setting.problem(0, "there are no steps", remedy)


def _dwell(project: Project, outline: Outline) -> timedelta:
    """Return the configured time at each rung, or the longer one that the issue demands."""
    demanded = (wait_between_rungs(item.text) for item in outline.items)
    return max(project.ramp.dwell, *(length for length in demanded if length), timedelta())


def _check_flag(setting: Setting, named: Named | None) -> None:
    if named is None:
        setting.problem(
            0,
            "the issue names no flag",
            "write it into the title, such as [Feature flag] Enable `new_navigation`, or give "
            f"`--set {_FLAG_NAME}=NAME`",
        )
    elif named.flag not in setting.known_flags:
        remedy = unknown_flag_remedy(named.flag, setting.known_flags)
        setting.problem(named.line, f"there is no flag `{named.flag}`", remedy)


def _title(title: Heading | None, setting: Setting) -> str:
    words = plain(setting.answers.fill(title.text)) if title else ""
    return words or f"Rollout of {setting.flag}"


def _unresolved(chosen: Sequence[Chosen], setting: Setting) -> tuple[str, ...]:
    names = [
        name
        for step in chosen
        for command in step.commands
        for name in left_in(filled(command, step, setting))
        if normal(name) not in PERCENTAGE | CLEANUP
    ]
    return tuple(dict.fromkeys(names))
