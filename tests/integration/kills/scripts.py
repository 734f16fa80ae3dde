"""Which rollouts are there to be killed, and what does a person say to each?

A script is an issue and the answers that its approvals, failures and long waits get, so that the
same rollout can be run twice and has to come out the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

ENVIRONMENTS = ("dev", "staging", "production")
UNSTEADY = "unsteady"
"""An announcement with this word is refused until somebody retries its step."""

LONG = "Wait for 3 days"
"""Longer than any run, so a person ends it; what happens in it is in no race with its end."""

PLANS = 40
"""So many different ones; further rollouts have the same plans again, under other flags."""

ANSWERS = (
    ("approve",),
    ("approve",),
    ("reject", "resume", "approve"),
    ("skip",),
)


@dataclass(frozen=True)
class Script:
    """One rollout; `answers` are verbs by the title of the step that they answer.

    `like` is the first flag with the same plan. With `zombie`, the server that announces the first
    share in production is frozen at that.
    """

    flag: str
    like: str
    issue: str
    answers: dict[str, tuple[str, ...]]
    ends: str
    zombie: bool = False


def scripts(seed, count, *, steady=False):
    """Return as many scripts; a `steady` outside refuses nothing."""
    return [
        _script(
            Random(f"{seed}/{number % PLANS}"), f"flag_{number}", f"flag_{number % PLANS}", steady
        )
        for number in range(count)
    ]


def _script(random, flag, like, steady):
    answers = {}
    parts = iter(range(1, 100))
    run = f"- [ ] `/chatops run feature set {flag}"

    def approval():
        title = f"Verify that part {next(parts)} works"
        answers[title] = random.choice(ANSWERS)
        return f"- [ ] {title}."

    def announcement():
        title = f"Notify #support of part {next(parts)}"
        if not steady and random.random() < 0.2:
            title += f", which is {UNSTEADY}"
            answers[title] = ("retry",)
        return f"- [ ] {title.replace('#support', '`#support`')}."

    def wait():
        if LONG not in answers and random.random() < 0.15:
            answers[LONG] = ("pause", "resume", "promote")
            return f"- [ ] {LONG}."
        return f"- [ ] Wait for {random.randint(10, 120)} seconds."

    def some(most):
        return [random.choice((approval, announcement, wait))() for _ in range(most)]

    lines = [f"{run} true --dev`", *some(random.randint(0, 2)), f"{run} true --staging`"]
    lines += some(random.randint(1, 2))
    lines += [f"{run} {random.choice((5, 10))} --actors`", *some(random.randint(1, 2))]
    ends = "rolled_back" if random.random() < 0.3 else "completed"
    if ends == "rolled_back":
        title = f"Verify that part {next(parts)} works"
        answers[title] = ("abort",)
        lines.append(f"- [ ] {title}.")
    lines += [f"{run} 50 --actors`", *some(1), f"{run} true`", announcement()]
    return Script(
        flag=flag,
        like=like,
        issue=f"# [Feature flag] Enable `{flag}`\n\n## Rollout Steps\n\n" + "\n".join(lines) + "\n",
        answers=answers,
        ends=ends,
        zombie=ends == "rolled_back",
    )
