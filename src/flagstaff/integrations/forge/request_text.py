"""What does the merge request of a clean-up tell those who review it?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from flagstaff.cleanup.changes import CleanupPlan
from flagstaff.definitions import Definition
from flagstaff.integrations.process import Ended

LABELS = ("feature flag", "maintenance")
_MOST = 50
_LAST = 1_500


def description(
    plan: CleanupPlan, definition: Definition | None, tested: tuple[str, Ended] | None
) -> str:
    """Return the text: what goes, why, what is left, how the tests ended, what to look at."""
    answer = "on" if plan.keep else "off"
    lines = [
        f"Removes the feature flag `{plan.flag}`; its answer is always **{answer}** from now on.",
        "",
        *_evidence(plan, definition),
        "",
        *_tests(tested),
        "",
        *_left(plan),
        "",
        "### For the reviewer",
        "",
        f"- [ ] The flag is {answer} for everybody in every environment",
        f"- [ ] Nothing outside of this repository asks for `{plan.flag}`",
        "- [ ] What was taken away is code of the other answer alone",
        "- [ ] What is left for a person is done, or stays on purpose",
        f"- [ ] Deployed everywhere, it is deleted: `flagstaff feature delete {plan.flag}`",
        "",
        "Changelog: other",
    ]
    return "\n".join(lines) + "\n"


def labels(definition: Definition | None) -> tuple[str, ...]:
    """Return the labels: those of every clean-up, and that of the group that owns the flag."""
    return (*LABELS, definition.group) if definition and definition.group else LABELS


def _evidence(plan: CleanupPlan, definition: Definition | None) -> Iterator[str]:
    yield "### Evidence"
    yield ""
    yield f"- {len(plan.changes)} files change, cleaned from {plan.base[:12]}"
    if definition is None:
        yield "- The flag has no definition in this repository"
        return
    yield f"- Owner: {definition.group or 'no group is named in the definition'}"
    told = {
        "Introduced by": definition.introduced_by_url,
        "Since milestone": definition.milestone,
        "Feature": definition.feature_issue_url,
        "Rollout": definition.rollout_issue_url,
    }
    yield from (f"- {what}: {where}" for what, where in told.items() if where)


def _tests(tested: tuple[str, Ended] | None) -> Iterator[str]:
    yield "### Tests"
    yield ""
    if tested is None:
        yield "No command for tests is declared, so none was run before this was opened."
        return
    name, ended = tested
    yield f"`{name}` was run on the branch: {ended.why or f'it ended with {ended.code}'}."
    if ended.output:
        said = ended.output[-_LAST:]
        # A fence longer than any within what the program said.
        fence = "~" * max(6, *(len(each) + 1 for each in re.findall("~+", said)), 0)
        yield from ("", f"{fence}text", said, fence)


def _left(plan: CleanupPlan) -> Iterator[str]:
    yield "### Left for a person"
    yield ""
    if not plan.residues:
        yield "Nothing."
    for each in plan.residues[:_MOST]:
        yield f"- [ ] `{each.reference.path}:{each.reference.line}` {each.reason}"
    if len(plan.residues) > _MOST:
        yield f"- and {len(plan.residues) - _MOST} more, which `flagstaff cleanup` lists"
