"""Which command does the form for a flag's state ask for?"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from flagstaff.commands.expressions import expression_change
from flagstaff.commands.gate_change import gate_change
from flagstaff.commands.model import DeleteFlag, SetFlag
from flagstaff.commands.scopes import Scopes
from flagstaff.errors import UsageError
from flagstaff.flags.actor import check_actor_id
from flagstaff.flags.change import GateChange
from flagstaff.web.forms import Form

EVERYONE, ACTORS, RANDOM, SINGLE, GROUPS, MATCHING, UNSET = (
    "everyone",
    "actors",
    "random",
    "single",
    "groups",
    "matching",
    "unset",
)
HOW = {
    EVERYONE: "for everyone",
    ACTORS: "for a share of actors",
    RANDOM: "for a share of checks",
    SINGLE: "for single actors",
    GROUPS: "for groups",
    MATCHING: "for those who match an expression (JSON)",
    UNSET: "not at all: back to the default",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What the form holds, to be shown again when something was wrong with it."""

    flag: str
    environments: tuple[str, ...]
    how: str
    value: str
    who: str
    reason: str
    overrides: str

    @classmethod
    def of(cls, form: Form, *, environments: tuple[str, ...]) -> Typed:
        """Return what was typed, or what an untouched form proposes."""
        return cls(
            flag=form.text("flag"),
            environments=form.all("environment") or environments,
            how=form.text("how") or EVERYONE,
            value=form.text("value"),
            who=form.text("who"),
            reason=form.text("reason"),
            overrides=form.text("overrides"),
        )

    def command(self, chosen: str) -> str:
        """Return how the terminal says what the untouched form says; the page keeps up with it."""
        where = " ".join(f"--{name}" for name in self.environments)
        name = chosen or self.flag or "NAME"
        if self.how == MATCHING:
            expression = shlex.quote(self.value or "JSON")
            return f"flagstaff feature set {name} --expression {expression} {where}"
        how = {ACTORS: " --actors", RANDOM: " --random"}.get(self.how, "")
        return f"flagstaff feature set {name} {self.value or 'VALUE'}{how} {where}"

    @property
    def choices(self) -> dict[str, str]:
        """Return for whom a flag can be set."""
        return HOW


def command_of(form: Form, flag: str) -> SetFlag | DeleteFlag:
    """Return the command; its words are checked as the terminal checks them.

    Raises:
        UsageError: the form contradicts itself or is not complete.
    """
    environments, reason = form.all("environment"), form.text("reason")
    if not environments:
        raise UsageError("no environment is chosen", hint="tick at least one")
    overrides = _names(form.text("overrides"))
    how, value = form.text("how") or EVERYONE, form.text("value")
    if how not in HOW:
        raise UsageError(f"{how[:40]!r} is nobody a flag can be set for", hint=_offered())
    if how not in {SINGLE, GROUPS} and form.text("who"):
        raise _named_in_vain(how, form.text("who"))
    if how == UNSET:
        if value:
            raise UsageError(
                f"the value {value[:40]!r} is given, and the flag is to go back to its default",
                hint="leave the value empty, or choose for whom the flag is set to it",
            )
        return DeleteFlag(flag=flag, environments=environments, reason=reason, overrides=overrides)
    if not value:
        raise UsageError("there is no value", hint="write true, false or a percentage")
    change: GateChange
    if how == MATCHING:
        change = expression_change(value, value=None)
    else:
        change = gate_change(
            value, of_actors=how == ACTORS, of_time=how == RANDOM, scopes=_scopes(form, how)
        )
    return SetFlag(
        flag=flag, environments=environments, change=change, reason=reason, overrides=overrides
    )


def _named_in_vain(how: str, who: str) -> UsageError:
    return UsageError(
        f"{who[:40]!r} is named, but the flag would be set {HOW[how]}",
        hint=f"choose {HOW[SINGLE]!r} or {HOW[GROUPS]!r}, or leave the names out",
    )


def _scopes(form: Form, how: str) -> Scopes:
    if how not in {SINGLE, GROUPS}:
        return Scopes()
    names = _names(form.text("who"))
    if not names:
        what = "actors such as User:42" if how == SINGLE else "groups"
        raise UsageError("nobody is named", hint=f"write {what}, separated by commas")
    if how == GROUPS:
        return Scopes(groups=names)
    return Scopes(actors=tuple(check_actor_id(name) for name in names))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip()))


def _offered() -> str:
    return f"choose one of {', '.join(HOW)}"
