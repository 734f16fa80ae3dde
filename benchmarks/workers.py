"""Is a job renamed under load without a loss? Runs the long form of its tests, on both brokers.

`--jobs N` chooses how many are published, `--killed N` how many while workers are killed (twice for
each of `--seeds K`: by plain Celery and with a rename), `--rate R` how many a second, `--seed S`
the first seed, which says what is killed and when. Then workers are killed at each place that jobs
of each of `--kinds` pass.
"""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

TESTS = ("test_soak.py", "test_killed_at.py")
KINDS = "single,later,again,chain,chord"


def main() -> int:
    """Run it, and return 1 when it fails."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=30_000)
    parser.add_argument("--killed", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=150)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--kinds", default=KINDS)
    chosen = parser.parse_args()
    told = {
        "FLAGSTAFF_SOAK": str(chosen.jobs),
        "FLAGSTAFF_SOAK_KILLS": str(chosen.killed),
        "FLAGSTAFF_SOAK_RATE": str(chosen.rate),
        "FLAGSTAFF_SOAK_SEED": str(chosen.seed),
        "FLAGSTAFF_SOAK_SEEDS": str(chosen.seeds),
        "FLAGSTAFF_KILLED_KINDS": chosen.kinds,
    }
    root = Path(__file__).parent.parent
    files = [f"tests/integration/workers/{each}" for each in TESTS]
    command = [sys.executable, "-m", "pytest", "-q", "-s", *files]
    return min(1, subprocess.run(command, check=False, cwd=root, env=os.environ | told).returncode)


if __name__ == "__main__":
    sys.exit(main())
