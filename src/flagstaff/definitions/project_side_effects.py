"""What does `side_effects:` in `flagstaff.yml` say?"""

from __future__ import annotations

from dataclasses import fields as names_of
from pathlib import PurePosixPath
from typing import Final

from flagstaff.definitions.fields import Fields
from flagstaff.definitions.problems import quote, suggestion
from flagstaff.definitions.side_effects import (
    Annotation,
    ChangeLog,
    EventHook,
    RolloutIssue,
    SideEffects,
    TeamChannel,
)
from flagstaff.definitions.web_address import is_web_address
from flagstaff.errors import UsageError

_HIGHEST_PANEL: Final = 2**31 - 1


def read_side_effects(project: Fields, environments: tuple[str, ...]) -> SideEffects:
    """Return what is set under `side_effects`, and note what is wrong there."""
    fields = project.mapping("side_effects")
    if fields is None:
        return SideEffects()
    fields.unknown(tuple(each.name for each in names_of(SideEffects)), fields.problems.error)
    return SideEffects(
        annotation=_annotation(fields, environments),
        event=_event(fields, environments),
        log=_log(fields, environments),
        rollout_issue=_rollout_issue(fields, environments),
        team_channel=_team_channel(fields, environments),
    )


def _annotation(side_effects: Fields, environments: tuple[str, ...]) -> Annotation | None:
    fields = _known(side_effects, "annotation", ("url", "tags", "dashboard", "panel"))
    if fields is None:
        return None
    dashboard = fields.text("dashboard") or ""
    if fields.has("panel") and not dashboard:
        fields.problems.error(
            f"{fields.label('panel')} is of no dashboard",
            line=fields.line("panel"),
            remedy="add `dashboard:` with its uid",
        )
    return Annotation(
        url=_address(fields),
        environments=_places(fields, environments),
        tags=fields.parsed_list("tags", str) or (),
        dashboard=dashboard,
        panel=fields.parsed("panel", _panel) or 0,
    )


def _event(side_effects: Fields, environments: tuple[str, ...]) -> EventHook | None:
    fields = _known(side_effects, "event", ("url",))
    if fields is None:
        return None
    return EventHook(url=_address(fields), environments=_places(fields, environments))


def _log(side_effects: Fields, environments: tuple[str, ...]) -> ChangeLog | None:
    fields = _known(side_effects, "log", ("file", "issue"))
    if fields is None:
        return None
    if fields.has("file") == fields.has("issue"):
        fields.problems.error(
            f"{side_effects.label('log')} needs either `file` or `issue`",
            line=side_effects.line("log"),
            remedy="name a file such as `log/flags.md`, or the address of an issue",
        )
    return ChangeLog(
        environments=_places(fields, environments),
        file=fields.parsed("file", _file) or "",
        issue=fields.parsed("issue", _web_address) or "",
    )


def _rollout_issue(side_effects: Fields, environments: tuple[str, ...]) -> RolloutIssue | None:
    fields = _known(side_effects, "rollout_issue", ())
    return None if fields is None else RolloutIssue(environments=_places(fields, environments))


def _team_channel(side_effects: Fields, environments: tuple[str, ...]) -> TeamChannel | None:
    fields = _known(side_effects, "team_channel", ("off", "rollouts"))
    if fields is None:
        return TeamChannel()
    if fields.boolean("off"):
        return None
    return TeamChannel(
        environments=_places(fields, environments, TeamChannel().environments),
        rollouts=fields.boolean("rollouts") or False,
    )


def _known(side_effects: Fields, key: str, keys: tuple[str, ...]) -> Fields | None:
    fields = side_effects.mapping(key)
    if fields is not None:
        fields.unknown((*keys, "environments"), fields.problems.error)
    return fields


def _places(
    fields: Fields, environments: tuple[str, ...], default: tuple[str, ...] | None = None
) -> tuple[str, ...]:
    def known(text: str) -> str:
        if text in environments:
            return text
        raise UsageError(f"{quote(text)} is no environment", hint=suggestion(text, environments))

    found = fields.parsed_list("environments", known)
    if found is not None:
        return found
    return environments if default is None else default


def _address(fields: Fields) -> str:
    if not fields.has("url"):
        fields.required("url", remedy="add `url: https://…`")
        return ""
    return fields.parsed("url", _web_address) or ""


def _web_address(text: str) -> str:
    if is_web_address(text):
        return text
    # The text itself stays out of the message: such an address may be a secret.
    raise UsageError(
        "this is no web address", hint="write one that starts with http:// or https://"
    )


def _file(text: str) -> str:
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts:
        raise UsageError(
            f"{quote(text)} is not in the project's folder", hint="write it from there on"
        )
    return text


def _panel(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) <= _HIGHEST_PANEL:
        return int(text)
    raise UsageError(f"{quote(text)} is no number of a panel", hint="write such as 4")
