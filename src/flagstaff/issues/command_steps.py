"""Which step is a chat command of an issue?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from flagstaff.commands import model
from flagstaff.commands.grammar import GROUPS, parse_line
from flagstaff.definitions.problems import nearest
from flagstaff.errors import UsageError
from flagstaff.flags.change import Boolean, PercentageOfActors, PercentageOfTime
from flagstaff.flags.percentage import format_percentage
from flagstaff.issues.chosen import Chosen
from flagstaff.issues.meaning import Draft, Understood
from flagstaff.issues.placeholders import CLEANUP, PERCENTAGE, has, left_in, stand_in
from flagstaff.issues.setting import PRODUCTION, Setting, unknown_flag_remedy
from flagstaff.issues.wording import headline
from flagstaff.issues.written import Written
from flagstaff.rollouts.plan import (
    Approve,
    AskPerson,
    CheckDeployed,
    CheckReleased,
    DeleteFlag,
    Preset,
    SetGate,
)

ANY_PERCENTAGE = "50"
"""Stands in for the ramp while a command is read; the ramp replaces it."""
_OWN_REQUEST = "own-cleanup-request"
_PREFIX = re.compile(r"/chatops\s+(?:gitlab\s+)?run\s+|/?flagstaff\s+(?:run\s+)?", re.IGNORECASE)
_VERB = re.compile(r"/chatops\s+(?:gitlab\s+)?run\s+([\w-]+)", re.IGNORECASE)
_WORDS = tuple(group.name or "" for group in GROUPS)
OTHER_BOT = "Flagstaff has no command `{verb}`: run it in chat, then tick the box"
ONLY_LOOKS = "look at the answer, then tick the box"
_MODIFIER = re.compile(r"--(?:actors|random)\b")
_SETS_NUMBER = re.compile(
    r"\b(?:feature|flag)\s+set\s+\S+\s+(?:[0-9.]+|<[\w ./-]+>)(?:\s|$)", re.IGNORECASE
)
_BY_TIME = re.compile(
    r"\btime[ -]based|\brandom\b|percentage of time|\bnot\b.*\bactor", re.IGNORECASE
)
_BY_ACTOR = re.compile(r"\bactor[ -]based|percentage of actors|has an actor", re.IGNORECASE)
_NON_PRODUCTION = re.compile(r"non-?\s?production|\bstaging\b|\bdev\b", re.IGNORECASE)
_IN_PRODUCTION = re.compile(r"\bproduction\b|\bglobal", re.IGNORECASE)


def filled(written: Written, step: Chosen, setting: Setting) -> str:
    """Return the command with its placeholders answered and the modifier its context implies."""
    text = setting.answers.fill(written.text)
    if _MODIFIER.search(text) or not _SETS_NUMBER.search(text):
        return text
    for context in step.context:
        if _BY_TIME.search(context):
            return f"{text} --random"
        if _BY_ACTOR.search(context):
            return f"{text} --actors"
    return text


def command_step(
    written: Written, step: Chosen, setting: Setting, section: Sequence[model.Command]
) -> Draft | None:
    """Return the step; `None` with a problem noted when the command cannot be one.

    Args:
        written: The command.
        step: The item it stands in.
        setting: Where problems are noted.
        section: The commands of the same section, for the environments of a deploy check.
    """
    line = step.item.line + written.offset
    text = filled(written, step, setting)
    if step.preset is not Preset.OPEN:
        return _kept(text, step, setting, section)
    ready = stand_in(stand_in(text, PERCENTAGE, ANY_PERCENTAGE), CLEANUP, _OWN_REQUEST)
    if missing := left_in(ready):
        for name in missing:
            setting.problem(
                line,
                f"nothing answers the placeholder `<{name}>`",
                f"give `--set {name}=VALUE`, or list it under `placeholders:` in flagstaff.yml",
            )
        return None
    try:
        command = parse_line(ready)
    except UsageError as wrong:
        if verb := _of_another_bot(ready):
            return _left_to_person(text, OTHER_BOT.format(verb=verb))
        setting.problem(line, f"`{text}`: {wrong.message}", wrong.hint)
        return None
    return _draft(command, line, step, setting, section)


def _kept(text: str, step: Chosen, setting: Setting, section: Sequence[model.Command]) -> Draft:
    """Return the step of a line that will not run, whatever is wrong with its command."""
    quiet = replace(setting, problems=[])
    with suppress(UsageError):
        command = parse_line(stand_in(text, CLEANUP, _OWN_REQUEST))
        if found := _draft(command, step.item.line, step, quiet, section):
            return found
    modifier = _MODIFIER.search(text)
    return Draft(
        slug=f"ramp-{modifier[0].lstrip('-')}" if modifier and has(text, PERCENTAGE) else "",
        title=headline(_PREFIX.sub("", text)),
        action=AskPerson(),
        understood=Understood.COMMAND,
    )


def _draft(
    command: model.Command,
    line: int,
    step: Chosen,
    setting: Setting,
    section: Sequence[model.Command],
) -> Draft | None:
    if not _is_about_flag(command, line, setting):
        return None
    match command:
        case model.SetFlag():
            return set_gate(command)
        case model.DeleteFlag(environments=environments):
            return Draft(
                slug=f"delete-{_place(environments)}",
                title=f"Delete {command.flag} in {', '.join(environments)}",
                action=DeleteFlag(environments=environments),
                understood=Understood.DELETE,
            )
        case model.AutoDeployStatus(sha=sha) if sha:
            environments = _deployed_where(step, setting, section)
            return Draft(
                slug=f"deployed-{_place(environments)}",
                title=f"Check that {sha[:12]} is deployed in {', '.join(environments)}",
                action=CheckDeployed(sha=sha, environments=environments),
                understood=Understood.CHECK,
            )
        case model.ReleaseCheck(request=request, version=version):
            own = request == _OWN_REQUEST
            what = "the cleanup" if own else request
            return Draft(
                slug="release-check",
                title=f"Check that {what} is in {version or 'a release'}",
                action=CheckReleased(request="" if own else request, version=version),
                understood=Understood.RELEASE_CHECK,
            )
        case model.GetFlag() | model.ListFlags() | model.AutoDeployStatus():
            title = headline(step.item.text)
            return Draft(slug="", title=title, action=Approve(), understood=Understood.APPROVAL)
        case _ if not command.writes:
            return _left_to_person(step.item.text, ONLY_LOOKS)
        case _:
            setting.problem(
                line,
                "this command cannot be a step of an issue",
                "take it out; an issue sets, checks and deletes its flag",
            )
            return None


def _of_another_bot(text: str) -> str:
    """Return the word after `run` when it is none of ours, and no slip of the pen either."""
    found = _VERB.match(text)
    verb = found[1] if found else ""
    return "" if verb in _WORDS or nearest(verb, _WORDS) else verb


def _left_to_person(text: str, hint: str) -> Draft:
    return Draft(
        slug="",
        title=headline(_PREFIX.sub("", text)),
        action=AskPerson(),
        understood=Understood.PERSON,
        hint=hint,
    )


def set_gate(command: model.SetFlag) -> Draft:
    """Return the step that changes the flag."""
    match command.change:
        case Boolean(value=True):
            slug = f"set-{_place(command.environments)}"
        case Boolean():
            slug = f"unset-{_place(command.environments)}"
        case PercentageOfActors(value=share) | PercentageOfTime(value=share):
            slug = f"ramp-{format_percentage(share).replace('.', '-')}"
            if command.environments != (PRODUCTION,):
                slug += f"-{_place(command.environments)}"
        case _:
            slug = f"set-{_place(command.environments)}-some"
    return Draft(
        slug=slug,
        title=f"Set {command.flag} to {command.change} in {', '.join(command.environments)}",
        action=SetGate(
            environments=command.environments,
            change=command.change,
            overrides=command.overrides,
        ),
        understood=Understood.COMMAND,
    )


def _flag_in(command: model.Command) -> str:
    match command:
        case model.SetFlag() | model.GetFlag() | model.DeleteFlag():
            return command.flag
        case _:
            return ""


def _is_about_flag(command: model.Command, line: int, setting: Setting) -> bool:
    fine = True
    name = _flag_in(command)
    if name and setting.flag and name != setting.flag:
        if name in setting.known_flags:
            what = f"this issue rolls out `{setting.flag}`, and the line is about `{name}`"
            setting.problem(line, what, "give the other flag an issue of its own")
        else:
            remedy = unknown_flag_remedy(name, setting.known_flags)
            setting.problem(line, f"there is no flag `{name}`", remedy)
        fine = False
    for environment in getattr(command, "environments", ()):
        if environment not in setting.project.environments:
            setting.problem(
                line,
                f"the project has no environment `{environment}`",
                f"leave `--{environment}` out, or list it under `environments:` in flagstaff.yml",
            )
            fine = False
    return fine


def _deployed_where(
    step: Chosen, setting: Setting, section: Sequence[model.Command]
) -> tuple[str, ...]:
    places = (*step.context, *reversed(step.item.headings))
    for words in places:
        if _NON_PRODUCTION.search(words):
            break
        if _IN_PRODUCTION.search(words):
            return (PRODUCTION,)
    named = {
        environment
        for command in section
        if isinstance(command, model.SetFlag)
        for environment in command.environments
    }
    testing = tuple(name for name in setting.testing if name in named)
    return testing or setting.testing[:1] or (PRODUCTION,)


def _place(environments: tuple[str, ...]) -> str:
    if PRODUCTION in environments:
        return PRODUCTION if len(environments) == 1 else "everywhere"
    return environments[0] if len(environments) == 1 else "non-production"
