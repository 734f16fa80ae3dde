"""Did it come out as it would have, had nothing happened to the servers?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kills.scripts import ENVIRONMENTS


@dataclass(frozen=True)
class Record:
    """What is left of one rollout: its end, its audit log, the gates and what arrived outside."""

    phase: str
    audit: tuple
    gates: tuple
    arrived: dict


@dataclass(frozen=True)
class Verdict:
    """`problems` by flag, and how many arrivals were repeats that their key tells."""

    rollouts: int
    effects: int
    repeats: int
    problems: dict

    @property
    def right(self):
        return self.rollouts - len(self.problems)

    def __str__(self):
        return (
            f"{self.right} of {self.rollouts} right, {self.effects} effects outside, each under "
            f"one key; {self.repeats} repeats told by their key"
        )


def essence(entry, flag, number):
    """Return an audit entry without its number, time and hash, for any rollout of this plan."""
    names = ("who", "source", "action", "flag", "environment", "step", "text", "reason")
    ours = rf"\brollout {number}\b"
    said = (re.sub(ours, "rollout N", entry[name].replace(flag, "FLAG")) for name in names)
    return (*said, str(entry["before"]), str(entry["after"]))


def collect(ask, cases, texts):
    """Return the records by flag, from what a server says and the outside has taken."""
    snapshots = {}
    for name in ENVIRONMENTS:
        status, snapshots[name] = ask(f"/environments/{name}/snapshot")
        assert status == 200, snapshots[name]
    arrived = {}
    for key, there in texts.items():
        number, _, rest = key.partition("/")
        arrived.setdefault(int(number), {})[rest] = there
    snapshots = {name: each["flags"] for name, each in snapshots.items()}
    found = {}
    for case in cases:
        flag = case.script.flag
        status, entries = ask(f"/audit?rollout={case.number}&limit=1000")
        assert status == 200, entries
        status, rollout = ask(f"/rollouts/{case.number}")
        assert status == 200, rollout
        gates = tuple(str(snapshots[name][flag]["gates"]) for name in ENVIRONMENTS)
        found[flag] = Record(
            phase=rollout["phase"],
            audit=tuple(essence(each, flag, case.number) for each in reversed(entries)),
            gates=gates,
            arrived={
                key: [each.replace(flag, "FLAG") for each in there]
                for key, there in arrived.pop(case.number, {}).items()
            },
        )
    assert not arrived, f"arrivals of rollouts that nobody began: {arrived}"
    return found


def judge(calm, rough, scripts, *, repeats_allowed=True):
    """Compare a run with an undisturbed one, rollout by rollout.

    Args:
        calm: the undisturbed run, at least once with every plan.
        rough: the other.
        scripts: the rollouts that it has to have.
        repeats_allowed: whether an effect may arrive more than once under its one key.
    """
    problems, effects, repeats = {}, 0, 0
    for script in scripts:
        flag, expected = script.flag, calm[script.like]
        found = rough.get(flag)
        if found is None:
            problems[flag] = ["it is missing"]
            continue
        effects += len(found.arrived)
        again = sum(len(each) - 1 for each in found.arrived.values())
        repeats += again
        wrong = list(_differences(expected, found))
        if again and not repeats_allowed:
            wrong.append(f"{again} effects arrived twice: {found.arrived}")
        if wrong:
            problems[flag] = wrong
    return Verdict(rollouts=len(scripts), effects=effects, repeats=repeats, problems=problems)


def _differences(expected, found):
    if expected.phase != found.phase:
        yield f"it is {found.phase}, not {expected.phase}"
    if expected.gates != found.gates:
        yield f"gates are {found.gates}, not {expected.gates}"
    if expected.audit != found.audit:
        at = next(
            (
                n
                for n, pair in enumerate(zip(expected.audit, found.audit, strict=False))
                if pair[0] != pair[1]
            ),
            min(len(expected.audit), len(found.audit)),
        )
        yield f"audit differs at {at}: {found.audit[at:][:2]}, not {expected.audit[at:][:2]}"
    for key in expected.arrived.keys() - found.arrived.keys():
        yield f"{key} never arrived"
    for key in found.arrived.keys() - expected.arrived.keys():
        yield f"{key} arrived, which nobody wanted"
    for key, texts in found.arrived.items():
        if len(set(texts)) > 1:
            yield f"{key} says different things: {texts}"
