"""Which words, colours and signs stand for a state? One colour means one thing.

Green holds, red broke, amber waits, blue runs, grey has nothing to say; a sign and a word always
stand beside the colour.
"""

from __future__ import annotations

from dataclasses import dataclass

from flagstaff.flags.describe import percent
from flagstaff.flags.gates import Gates, State
from flagstaff.rollouts.guard import Verdict
from flagstaff.rollouts.rollout import Phase, StepStatus
from flagstaff.services.views import FlagCell


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a state looks: a colour, a sign and a word."""

    tone: str
    sign: str
    word: str


_PHASES = {
    Phase.PENDING: Look(tone="grey", sign="todo", word="not started"),
    Phase.RUNNING: Look(tone="blue", sign="running", word="running"),
    Phase.WAITING: Look(tone="amber", sign="person", word="waiting for a person"),
    Phase.PAUSED: Look(tone="amber", sign="paused", word="paused"),
    Phase.COMPLETED: Look(tone="green", sign="done", word="completed"),
    Phase.ROLLED_BACK: Look(tone="red", sign="back", word="rolled back"),
    Phase.EXPIRED: Look(tone="amber", sign="paused", word="expired"),
}
_STEPS = {
    StepStatus.PENDING: Look(tone="grey", sign="todo", word="to do"),
    StepStatus.ACTIVE: Look(tone="blue", sign="running", word="running"),
    StepStatus.WAITING: Look(tone="amber", sign="person", word="needs a person"),
    StepStatus.DONE: Look(tone="green", sign="done", word="done"),
    StepStatus.SKIPPED: Look(tone="grey", sign="skipped", word="skipped"),
    StepStatus.FAILED: Look(tone="red", sign="failed", word="failed"),
}
_VERDICTS = {
    Verdict.PASS: Look(tone="green", sign="done", word="holds"),
    Verdict.FAIL: Look(tone="red", sign="failed", word="broken"),
    Verdict.INCONCLUSIVE: Look(tone="blue", sign="running", word="gathering data"),
    Verdict.ERROR: Look(tone="amber", sign="paused", word="no data"),
}
_DRAINED = {
    StepStatus.DONE: Look(tone="green", sign="done", word="drained"),
    StepStatus.ACTIVE: Look(tone="blue", sign="running", word="looking for the last ones"),
    StepStatus.FAILED: Look(tone="red", sign="failed", word="not drained"),
}
_NOT_DRAINED = Look(tone="grey", sign="todo", word="not proven drained")
_NOT_WATCHING = Look(tone="grey", sign="todo", word="not watching yet")
_SEEN = {
    True: Look(tone="green", sign="done", word="seen"),
    False: Look(tone="blue", sign="running", word="not yet"),
    None: Look(tone="grey", sign="todo", word="not said"),
}
_STATES = {State.ON: ("green", "done"), State.CONDITIONAL: ("blue", "partly")}


def phase_look(phase: Phase) -> Look:
    """Return how a rollout's phase looks."""
    return _PHASES[phase]


def step_look(status: StepStatus) -> Look:
    """Return how a step's status looks."""
    return _STEPS[status]


def verdict_look(verdict: Verdict | None) -> Look:
    """Return how a guard's verdict looks, also before there is one."""
    return _VERDICTS[verdict] if verdict else _NOT_WATCHING


def drained_look(status: StepStatus) -> Look:
    """Return how it looks whether no job of a name is left, by the step that proves it."""
    return _DRAINED.get(status, _NOT_DRAINED)


def seen_look(seen: bool | None) -> Look:  # noqa: FBT001 - it is what is looked at
    """Return how it looks whether processes have the newest flags."""
    return _SEEN[seen]


def cell_look(cell: FlagCell) -> Look:
    """Return how a flag looks in one environment, short enough for a table."""
    tone, sign = _STATES.get(cell.state, ("grey", "off"))
    if cell.gates is None:
        return Look(tone="unset", sign="todo", word=f"default {cell.state.value}")
    return Look(tone=tone, sign=sign, word=_short(cell.gates))


def _short(gates: Gates) -> str:
    if gates.state is not State.CONDITIONAL:
        return gates.state.value
    parts = []
    if gates.percentage_of_actors:
        parts.append(f"{percent(gates.percentage_of_actors)} of actors")
    if gates.percentage_of_time:
        parts.append(f"{percent(gates.percentage_of_time)} of time")
    for count, noun in ((len(gates.members), "actor"), (len(gates.groups), "group")):
        if count:
            parts.append(f"{count} {noun}{'' if count == 1 else 's'}")
    if gates.expression:
        parts.append("by attributes")
    return ", ".join(parts) or "off, with opt-outs"


_ACTIONS = {
    "flag.set": "set",
    "flag.restore": "restored",
    "flag.delete": "deleted",
    "flag.undo": "undone",
    "deployment.record": "deployed",
    "rollout.import": "imported",
    "rollout.plan": "planned",
    "rollout.edit": "edited",
    "rollout.running": "went on",
    "rollout.rolled_back": "rolled back",
    "step.approve": "approved",
}


def action(name: str) -> str:
    """Return what was done, in a word or two: `step.done` is `done`."""
    return _ACTIONS.get(name, name.rpartition(".")[2].replace("_", " "))


def length(seconds: float) -> str:
    """Return a length of time as a person says it, in at most two units.

    >>> length(7_500)
    '2 h 5 min'
    """
    whole = max(0, round(seconds))
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    for position, (name, size) in enumerate(units):
        if whole >= size or size == 1:
            first, rest = divmod(whole, size)
            if position + 1 < len(units):
                smaller, small_size = units[position + 1]
                if second := rest // small_size:
                    return f"{first} {name} {second} {smaller}"
            return f"{first} {name}"
    return "0 s"


def ago(seconds: float) -> str:
    """Return how long ago something was, in one unit; what is kept to the hour is no younger.

    >>> ago(7_500), ago(59)
    ('2 h ago', 'within the hour')
    """
    for name, size in (("d", 86_400), ("h", 3_600)):
        if seconds >= size:
            return f"{int(seconds // size):,} {name} ago"
    return "within the hour"
