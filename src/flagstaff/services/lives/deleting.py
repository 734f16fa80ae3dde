"""How is the state of all flags that nobody defines any more removed, and never another's?"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import Final

from flagstaff.commands.life_model import DeleteUndefined
from flagstaff.commands.outcome import Json, Outcome
from flagstaff.errors import Conflict, Refused
from flagstaff.services.flags import Place, remove_state, words_for
from flagstaff.services.policies import judging
from flagstaff.services.policies.judging import Request, refused
from flagstaff.services.unit import WORKER_PREFIXES, Unit
from flagstaff.store import flags as store
from flagstaff.store import rollouts as rollout_store
from flagstaff.store.flags import FlagState

SUFFIXES: Final = (".yml", ".yaml")


def delete_undefined(unit: Unit, command: DeleteUndefined) -> Outcome:
    """Remove them in every environment named, or in none; without a mark, say what would go.

    Raises:
        Refused: no definitions are to be found at all, or a policy is in the way.
        Conflict: these are not the flags that were shown.
    """
    unit.context.check_environments(command.environments)
    judging.lock(unit, command.environments)
    written = _written(unit)
    found = {each: _undefined(unit, each, written) for each in command.environments}
    marks = {each: mark(each, [state.flag for state in states]) for each, states in found.items()}
    _judge(unit, found, command)
    if command.confirm:
        _check_marks(marks, found, command.confirm)
    lines: list[str] = []
    data: dict[str, Json] = {}
    done = bool(command.confirm)
    for environment, states in found.items():
        lines += _told(unit, environment, states, done=done)
        names: list[Json] = [state.flag for state in states]
        data[environment] = {"flags": names, "mark": marks[environment], "deleted": done}
        for state in states if done else ():
            place = Place(flag=state.flag, environment=environment, reason=command.reason)
            remove_state(unit, place)
    following = "" if done else _next(found, marks)
    return Outcome(text="\n".join(lines), data=data, next=following)


def mark(environment: str, flags: Sequence[str]) -> str:
    """Return a short text that stands for these flags in this environment and no others."""
    text = "\n".join((environment, *flags))
    return f"{len(flags)}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _undefined(unit: Unit, environment: str, written: frozenset[str]) -> list[FlagState]:
    """Return the state of flags without definition, but of none that is being rolled out."""
    known = {
        *unit.context.definitions(),
        *written,
        *rollout_store.active_flags(unit.connection),
    }
    return [
        each
        for each in store.find(unit.connection, environment=environment)
        if each.flag not in known and not each.flag.startswith(WORKER_PREFIXES)
    ]


def _written(unit: Unit) -> frozenset[str]:
    """Return the names of all files of definitions, also of those that cannot be understood.

    A mistake in a file, or a folder that is not there, must not make a flag one that nobody wants.
    """
    folder = unit.context.root / unit.context.project.flags
    if not folder.is_dir():
        raise Refused(
            f"there is no folder {unit.context.project.flags}, so every flag would be undefined",
            hint="correct `flags:` in flagstaff.yml, or start the server in the right folder",
        )

    def unreadable(error: OSError) -> None:
        raise Refused(
            f"{error.filename} cannot be read, so its flags would be undefined",
            hint="check the permissions",
        ) from error

    found = os.walk(folder, onerror=unreadable)
    return frozenset(
        name.rpartition(".")[0]
        for _, _, names in found
        for name in names
        if name.endswith(SUFFIXES)
    )


def _check_marks(
    marks: dict[str, str], found: dict[str, list[FlagState]], given: tuple[str, ...]
) -> None:
    other = [each for each in marks if found[each] and marks[each] not in given]
    if other:
        raise Conflict(
            f"in {' and '.join(other)} these are not the flags that were shown",
            hint="look again without --confirm",
        )


def _judge(unit: Unit, found: dict[str, list[FlagState]], command: DeleteUndefined) -> None:
    """Refuse if a policy is in the way of any; each flag is judged with all its environments."""
    where: dict[str, list[str]] = {}
    for environment, states in found.items():
        for state in states:
            where.setdefault(state.flag, []).append(environment)
    objections = [
        objection
        for flag, environments in sorted(where.items())
        for objection in judging.judge(
            unit,
            Request(
                flag=flag,
                after=dict.fromkeys(environments),
                overrides=command.overrides,
                reason=command.reason,
            ),
        )
    ]
    if objections:
        raise refused(objections)


def _told(unit: Unit, environment: str, states: list[FlagState], *, done: bool) -> list[str]:
    if not states:
        return [f"{environment}: no flag is set without a definition"]
    flags = "1 flag" if len(states) == 1 else f"{len(states)} flags"
    verb = "deleted" if done else "to be deleted"
    lines = [f"{environment}: {flags} without definition {verb}"]
    for each in states:
        words = words_for(unit, each.flag, each.gates)
        who = f"since {each.updated_at:%Y-%m-%d}, {each.updated_by}"
        lines.append(f"  {each.flag}: {words} ({who})")
    return lines


def _next(found: dict[str, list[FlagState]], marks: dict[str, str]) -> str:
    chosen = [each for each, states in found.items() if states]
    if not chosen:
        return ""
    options = "".join(f" --environment {each} --confirm {marks[each]}" for each in chosen)
    return f"flagstaff feature delete --undefined{options}"
