"""Does the clean-up do what people did by hand in public repositories?

`--repositories DIR` is a folder with bare repositories named `owner+name`; what is missing is
fetched into it by git. `--cases FILE` takes other cases, `--only WORD` those whose name has it.
Nothing counts as wrong unless it says so: see `cleanup_judge`. `--show` prints the diffs of ours.
"""

from __future__ import annotations

import json
import statistics
import time
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.cleanup_cases import HERE, Case, cases, changed, repository
from benchmarks.cleanup_judge import Judgement, Verdict, judge
from flagstaff.cleanup.changes import CleanupPlan, diff_text
from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import GitTree, Overlay, Tree

SHOWN = 8
UNFETCHED = "cannot be fetched"


def main() -> int:
    """Judge every case; 1 if one is wrong."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--repositories", type=Path, default=Path(".cache/benchmarks/repositories"))
    parser.add_argument("--cases", type=Path, default=HERE / "cleanup_cases.json")
    parser.add_argument("--only", default="")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    rows = [
        _row(case, chosen.repositories, show=chosen.show)
        for case in cases(chosen.cases)
        if chosen.only in case.name
    ]
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1))
    counted = Counter(str(row["verdict"]) for row in rows)
    print()
    for verdict in (*Verdict, UNFETCHED):
        print(f"{verdict:24} {counted[verdict]:3} of {len(rows)}")
    if seconds := [float(row["seconds"]) for row in rows if "seconds" in row]:
        print(f"a case took {statistics.median(seconds):.2f} s (median)")
    return 1 if counted[Verdict.WRONG] else 0


def _row(case: Case, repositories: Path, *, show: bool) -> dict[str, Any]:
    """Judge one case and say so."""
    git = repository(case, repositories)
    if git is None:
        print(f"{case.name:44} {UNFETCHED}")
        return {"case": case.name, "verdict": UNFETCHED}
    began = time.perf_counter()
    plans, judgement = _judged(git, case)
    took = time.perf_counter() - began
    residues = sum(len(plan.residues) for plan in plans)
    print(f"{case.name:44} {judgement.verdict:24} {residues:3} left  {took:5.2f} s", flush=True)
    for reason in judgement.reasons[:SHOWN]:
        print(f"    {'' if judgement.verdict is Verdict.WRONG else 'more by hand: '}{reason}")
    if case.note and judgement.verdict is Verdict.WRONG:
        print(f"    explained: {case.note}")
    if show:
        _show(plans)
    return {
        "case": case.name,
        "verdict": judgement.verdict,
        "residues": residues,
        "seconds": round(took, 2),
        "reasons": judgement.reasons,
    }


def _judged(git: Path, case: Case) -> tuple[list[CleanupPlan], Judgement]:
    before, after = GitTree.at(git, case.parent), GitTree.at(git, case.sha)
    plans: list[CleanupPlan] = []
    ours: Tree = before
    for flag, keep in case.winners.items():
        plans.append(plan_in(ours, CleanupRequest(flag=flag, keep=keep)))
        ours = Overlay(ours, {change.path: change.after for change in plans[-1].changes})
    touched = {change.path for plan in plans for change in plan.changes}
    # What else the person's commit did is none of the flag's business.
    by_hand = set(changed(git, case)) & set(before.containing(case.winners))
    paths = touched | by_hand
    said = {residue.reference.text for plan in plans for residue in plan.residues}
    files = [{path: tree.read(path) for path in paths} for tree in (before, ours, after)]
    return plans, judge(*files, said)


def _show(plans: list[CleanupPlan]) -> None:
    for plan in plans:
        print(diff_text(plan))
        for residue in plan.residues:
            print(f"    left: {residue}")


if __name__ == "__main__":
    raise SystemExit(main())
