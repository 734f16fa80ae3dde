"""How long does it take to find a flag in many files, and to remove it?

A repository is made of as many Python files as `--files` says, of which every hundredth asks for
the flag in one of five ways. Finding is paired with `git grep`, finding and rewriting with Polyglot
Piranha, which is given the one call to replace by `True` and has no rules of its own for what then
follows in Python. All are processes of their own that take turns; ours does all of its work.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from benchmarks.evaluation import CACHE, Peer, environment, installed_version

PIRANHA = Peer(module="piranha", name="Polyglot Piranha", package="polyglot-piranha")
FLAG = "quick_checkout"
EVERY = 100
"""One file in so many asks for the flag."""

FUNCTION = '''
def {name}(order, user):
    """Tell what {name} makes of an order."""
    total = sum(line.price * line.count for line in order.lines if line.count > {number})
    if user.country in ("DE", "FR", "IT") and total > {number}0:
        total -= total * order.discount / 100
    for line in order.lines:
        logger.debug("line %s of %s is %s", line.number, order.number, line.price)
        if line.price < 0:
            raise ValueError(f"line {{line.number}} has a price of {{line.price}}")
    return {{"total": total, "user": user.id, "lines": [each.number for each in order.lines]}}
'''
ASKING = (
    "    if {asked}:\n        return new(order)\n    return old(order)\n",
    "    return new(order) if {asked} else old(order)\n",
    "    quick = {asked}\n    if quick and order.lines:\n        new(order)\n",
    "    if not {asked}:\n        return old(order)\n    return new(order)\n",
    "    assert {asked} or order.lines\n    return new(order)\n",
)
ASKED = f"flags.is_enabled({FLAG!r}, user)".replace("'", '"')
TARGETS = {"find": 10.0, "rewrite": 2.0}
"""The most that ours may take, as a multiple of what it is paired with."""


def write_repository(root: Path, files: int) -> None:
    """Make the repository, the same for the same number of files."""
    chance = random.Random(2026)  # noqa: S311 no secret
    for number in range(files):
        folder = root / f"shop/part_{number // 50:03}"
        folder.mkdir(parents=True, exist_ok=True)
        text = [
            '"""One part of the shop."""\n\nimport logging\n\nfrom shop import flags, new, old\n'
        ]
        text.append("\nlogger = logging.getLogger(__name__)\n")
        text += (
            f"\n{FUNCTION.format(name=f'price_{number}_{each}', number=chance.randrange(1, 90))}"
            for each in range(chance.randrange(3, 9))
        )
        if number % EVERY == 0:
            body = ASKING[number // EVERY % len(ASKING)].format(asked=ASKED)
            text.append(f"\n\ndef decide_{number}(order, user):\n{body}")
        (folder / f"module_{number:05}.py").write_text("".join(text))
    (root / "flagstaff.yml").write_text("environments: [dev, production]\n")
    definition = root / f"config/feature_flags/development/{FLAG}.yml"
    definition.parent.mkdir(parents=True)
    definition.write_text(f"name: {FLAG}\ntype: development\ndefault_enabled: false\n")
    words = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(root))
    for rest in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-qm", "Shop")):
        subprocess.run([*words, *rest], check=True, capture_output=True)


def main() -> int:
    """Measure, print, and return 1 when a target of ours is missed."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--json", default=str(CACHE / "cleanup_speed.json"))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flagstaff-bench-") as folder:
        root = Path(folder)
        write_repository(root, chosen.files)
        commands = _commands(root)
        took: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(chosen.times + 1):
            for name, command in commands.items():
                seconds = _seconds(command, root)
                if number:  # the first fills the caches
                    took[name].append(seconds)
    print(f"{chosen.files:,} Python files; load {os.getloadavg()[0]:.1f}")
    for name, seconds in took.items():
        print(f"{name:34} {statistics.median(seconds):6.2f} s")
    found = {"find": _ratio(took, "ours, find", "git grep")}
    if PIRANHA.name in took:
        found["rewrite"] = _ratio(took, "ours, find and rewrite", PIRANHA.name)
    missed = [name for name, ratio in found.items() if ratio > TARGETS[name]]
    for name, ratio in found.items():
        print(f"{name}: {ratio:.1f}x, target {TARGETS[name]:g}x")
    Path(chosen.json).parent.mkdir(parents=True, exist_ok=True)
    Path(chosen.json).write_text(json.dumps({"seconds": took, "ratios": found}, indent=2) + "\n")
    print("\n".join(f"missed: {each}" for each in missed) or "all targets reached")
    return 1 if missed else 0


def _commands(root: Path) -> dict[str, Sequence[str]]:
    ours = (sys.executable, "-m", "flagstaff")
    commands: dict[str, Sequence[str]] = {
        "git grep": ("git", "grep", "-n", "-w", FLAG, "HEAD"),
        "ours, find": (*ours, "flag", "references", FLAG),
        "ours, find and rewrite": (*ours, "cleanup", FLAG, "--diff"),
    }
    try:
        python = environment(PIRANHA)
    except subprocess.CalledProcessError as exc:
        print(f"{PIRANHA.name} does not install: {exc.stderr[-300:]}", file=sys.stderr)
        return commands
    script = Path(__file__).parent / "peers" / "piranha.py"
    print(f"{PIRANHA.name} {installed_version(PIRANHA, python)}", file=sys.stderr)
    return {**commands, PIRANHA.name: (python, str(script), FLAG, str(root))}


def _seconds(command: Sequence[str], root: Path) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, cwd=root, check=False, capture_output=True)
    took = time.perf_counter() - began
    assert done.returncode == 0, (command, done.stderr.decode()[-2000:])
    assert FLAG.encode() in done.stdout, command
    return took


def _ratio(took: dict[str, list[float]], ours: str, theirs: str) -> float:
    """Return the median of what ours took as a multiple of its neighbour in the same round."""
    pairs = zip(took[ours], took[theirs], strict=True)
    return statistics.median(mine / other for mine, other in pairs)


if __name__ == "__main__":
    raise SystemExit(main())
