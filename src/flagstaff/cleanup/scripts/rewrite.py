"""What is left of a script once the flag's answer is fixed?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from flagstaff.cleanup.scripts.asking import ScriptQuestion
from flagstaff.cleanup.scripts.constants import (
    ScriptConstant,
    without_constants,
    without_listings,
)
from flagstaff.cleanup.scripts.expressions import settled
from flagstaff.cleanup.scripts.names import propagated
from flagstaff.cleanup.scripts.source import (
    FALSE,
    GONE,
    TRUE,
    Change,
    Script,
    Unreadable,
    marker,
    read_script,
    replace,
)
from flagstaff.cleanup.scripts.statements import closed_up, folded
from flagstaff.cleanup.scripts.unused import unused

_MOST_ROUNDS = 500


@dataclass(frozen=True, slots=True)
class RewrittenScript:
    """A script after the clean-up, and the lines on which a bare answer was left."""

    content: bytes
    answers: tuple[int, ...] = ()


def rewrite_script(content: bytes, path: str, question: ScriptQuestion) -> RewrittenScript:
    """Return the script at `path` after the clean-up.

    Raises:
        Unreadable: it does not parse.
    """
    start = read_script(content, path)
    script = start.changed(
        (replace(node, marker(truth=truth)),) for node, truth in question.answers(start)
    )
    script = _repeated(script, lambda now: without_listings(now, question.flag))
    return _finished(start, script, question.flag)


def drop_constants(
    content: bytes, path: str, flag: str, doomed: Collection[ScriptConstant]
) -> RewrittenScript:
    """Return the script at `path` without names for the flag that nothing uses.

    Raises:
        Unreadable: it does not parse.
    """
    start = read_script(content, path)
    script = _repeated(start, lambda now: without_constants(now, flag, doomed))
    return _finished(start, script, flag)


def _finished(start: Script, script: Script, flag: str) -> RewrittenScript:
    """Settle what the first changes of a script leave open."""
    if script is start:
        return RewrittenScript(start.printed())
    script = _repeated(script, lambda now: _changes(now, flag))
    script = _repeated(script, lambda now: [*unused(start, now), *_changes(now, flag)])
    return _printed(script)


def _repeated(script: Script, changes: Callable[[Script], Iterable[Change]]) -> Script:
    for _ in range(_MOST_ROUNDS):
        before, script = script, script.changed(changes(script))
        if script is before:
            break
    return script


def _changes(script: Script, flag: str) -> list[Change]:
    found = []
    for node, text in script.markers():
        if text == GONE:
            change = closed_up(node)
        else:
            change = settled(node, text) or folded(node, text, flag)
            change = change or propagated(node, script.root)
        if change is not None:
            found.append(change)
    return found


def _printed(script: Script) -> RewrittenScript:
    if GONE in script.text:
        raise Unreadable("cannot be closed up")
    lines = {node.range().start.line + 1 for node, _ in script.markers()}
    text = script.text.replace(TRUE, "true").replace(FALSE, "false")
    return RewrittenScript(Script.of(text, script.language).printed(), tuple(sorted(lines)))
