"""How long do questions to git take in a repository of 100,000 commits?

Is this commit in what is deployed, which release has it first, which merge brought it: asked of
the same history as it is, with a commit-graph, and in a partial clone with one, whose origin is
away, so that whatever had to be fetched would be missed. Each answer is compared with what the
history was made of. All is asked anew each time: no answer is kept from an earlier question.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.evaluation import CACHE
from flagstaff.errors import Unavailable
from flagstaff.integrations.forge.git import GitRepository

PER_REQUEST = 4
"""Commits of a merge request: three on its branch, and the merge."""
PER_RELEASE = 250
BEHIND = 5
"""So many merges ago a branch began."""
TARGETS = {"contained": 0.1, "not contained": 0.1, "first release": 0.5, "stable branch": 0.1}
"""The most that a question may take, in seconds, where there is a commit-graph."""


@dataclass(slots=True)
class History:
    """What the repository was made of: the marks of commits in the order of their requests."""

    requests: int
    merges: list[int] = field(default_factory=list)
    changes: list[int] = field(default_factory=list)
    _marks: int = 0

    def stream(self) -> Iterator[str]:
        """Yield what `git fast-import` reads."""
        yield from self._commit("refs/heads/main", "Begin", "", ["README"])
        self.merges.append(self._marks)
        for number in range(1, self.requests + 1):
            yield from self._request(number)
            if number % PER_RELEASE == 0:
                yield from self._release(number // PER_RELEASE)
        yield "done\n"

    def release_of(self, number: int) -> str:
        """Return the first release that has a merge request, empty if none has."""
        release = -(-number // PER_RELEASE)
        return f"v1.{release}.0" if release * PER_RELEASE <= self.requests else ""

    def _request(self, number: int) -> Iterator[str]:
        base = self.merges[max(0, number - 1 - BEHIND)]
        paths = [f"src/part_{number % 50}/module_{number % 40}_{each}.py" for each in range(2)]
        flag = f"config/feature_flags/development/flag_{number}.yml"
        paths.append(flag if number % 100 == 0 else f"tests/test_{number % 400}.py")
        for each, path in enumerate(paths):
            origin = f"from :{base}\n" if each == 0 else ""
            yield from self._commit("refs/heads/work", f"Change {path}", origin, [path])
        self.changes.append(self._marks)
        title = f"Merge branch 'work' into 'main'\n\nSee merge request shop/shop!{number}"
        origin = f"from :{self.merges[-1]}\nmerge :{self._marks}\n"
        yield from self._commit("refs/heads/main", title, origin, paths)
        self.merges.append(self._marks)

    def _release(self, number: int) -> Iterator[str]:
        stable, origin = f"refs/heads/1-{number}-stable", f"from :{self.merges[-1]}\n"
        yield f"reset refs/tags/v1.{number}.0\n{origin}\n"
        yield from self._commit(stable, "Pick one fix", origin, ["FIXED"])
        yield f"reset refs/tags/v1.{number}.1\nfrom :{self._marks}\n\n"

    def _commit(self, branch: str, message: str, origin: str, paths: list[str]) -> Iterator[str]:
        self._marks += 1
        when = 1_500_000_000 + self._marks * 60
        yield f"commit {branch}\nmark :{self._marks}\ncommitter A <a@example.org> {when} +0000\n"
        yield f"data {len(message)}\n{message}\n{origin}"
        for path in paths:
            if path.startswith("config/"):
                # Who adds a flag removes the one before: no rename, whatever the contents say.
                number = int(path.rpartition("_")[2].removesuffix(".yml")) - 100
                yield f"D config/feature_flags/development/flag_{number}.yml\n"
            text = f"made by {self._marks}\n"
            yield f"M 100644 inline {path}\ndata {len(text)}\n{text}\n"


def main() -> int:
    """Measure, print, and return 1 when a target is missed."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--json", default=str(CACHE / "releases.json"))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flagstaff-bench-") as folder:
        history = History(chosen.commits // PER_REQUEST)
        plain = Path(folder, "plain")
        hashes = _made(plain, history)
        count = _git(plain, "rev-list", "--all", "--count").strip()
        print(f"{int(count):,} commits; load {os.getloadavg()[0]:.1f}")
        rows = {"as it is": _asked(plain, history, hashes, chosen.times)}
        partial = _partial(plain, Path(folder, "partial"))
        _git(plain, "commit-graph", "write", "--reachable")
        rows["commit-graph"] = _asked(plain, history, hashes, chosen.times)
        rows["partial clone"] = _asked(partial, history, hashes, chosen.times)
    print(f"{'':16}" + "".join(f"{name:>16}" for name in rows))
    for question in rows["as it is"]:
        print(f"{question:16}" + "".join(f"{row[question]:14.3f} s" for row in rows.values()))
    missed = [
        f"{question}, {name}"
        for name, row in rows.items()
        for question, most in TARGETS.items()
        if name != "as it is" and row[question] > most
    ]
    Path(chosen.json).parent.mkdir(parents=True, exist_ok=True)
    Path(chosen.json).write_text(json.dumps(rows, indent=2) + "\n")
    print("\n".join(f"missed: {each}" for each in missed) or "all targets reached")
    return 1 if missed else 0


def _made(place: Path, history: History) -> dict[int, str]:
    """Write the repository; return the hash of each mark."""
    subprocess.run(("git", "init", "-q", "-b", "main", str(place)), check=True)
    marks = place / ".git/marks"
    words = ("git", "-C", str(place), "fast-import", "--quiet", "--done", f"--export-marks={marks}")
    with subprocess.Popen(words, stdin=subprocess.PIPE, text=True) as importing:
        assert importing.stdin is not None
        importing.stdin.writelines(history.stream())
        importing.stdin.close()
    assert importing.returncode == 0
    _git(place, "config", "uploadpack.allowFilter", "true")
    pairs = (line.split() for line in marks.read_text().splitlines())
    return {int(mark.removeprefix(":")): commit for mark, commit in pairs}


def _partial(origin: Path, place: Path) -> Path:
    """Clone without contents of files, with a commit-graph; nothing can be fetched later."""
    words = ("clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{origin}", str(place))
    subprocess.run(("git", *words), check=True)
    _git(place, "commit-graph", "write", "--reachable")
    _git(place, "remote", "set-url", "origin", f"file://{place}/away")
    return place


def _asked(place: Path, history: History, hashes: dict[int, str], times: int) -> dict[str, float]:
    """Return the median of what each question takes, of requests of all ages."""
    chance = random.Random(2026)  # noqa: S311 no secret
    last = history.requests
    took: dict[str, list[float]] = {}

    def ask(question: str, expected: object, asked: Callable[[], object]) -> None:
        began = time.perf_counter()
        try:
            answer = asked()
        except Unavailable:  # no answer within the time that git is given
            answer = expected
        took.setdefault(question, []).append(time.perf_counter() - began)
        assert answer == expected, (place, question, answer, expected)

    for number in [1, last, *(chance.randrange(2, last) for _ in range(times))]:
        git = GitRepository(place)  # one that has kept nothing yet
        change, merge = hashes[history.changes[number - 1]], hashes[history.merges[number]]
        older = hashes[history.merges[number - 1]]
        release = -(-number // PER_RELEASE)
        stable = [f"1-{release}-stable", f"origin/1-{release}-stable"]
        tip = hashes[history.merges[-1]]
        ask("contained", True, lambda: git.contains(tip, change))  # noqa: B023
        ask("not contained", False, lambda: git.contains(older, change))  # noqa: B023
        ask("first release", history.release_of(number), lambda: git.first_release(change))  # noqa: B023
        ask("merge", merge, lambda: git.merge_of(change, tip))  # noqa: B023
        ask("merge request", merge, lambda: getattr(git.find(f"!{number}"), "sha", ""))  # noqa: B023
        known = history.release_of(number) != ""
        ask("stable branch", known, lambda: git.stable_branch(f"1.{release}") in stable)  # noqa: B023
    flags = {f"flag_{number}" for number in range(100, last + 1, 100)}
    ask("flags since", flags, lambda: set(git.introductions("config/feature_flags")))
    return {question: statistics.median(seconds) for question, seconds in took.items()}


def _git(place: Path, *words: str) -> str:
    done = subprocess.run(("git", "-C", str(place), *words), check=True, capture_output=True)
    return done.stdout.decode()


if __name__ == "__main__":
    raise SystemExit(main())
