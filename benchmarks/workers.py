"""Is a job renamed under load without a loss? Runs the long form of its test, on both brokers.

`--jobs N` chooses how many are published, `--killed N` how many while workers are killed (twice: by
plain Celery and with a rename), `--rate R` how many a second, `--seed S` what is killed and when.
"""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

TEST = "tests/integration/workers/test_soak.py"


def main() -> int:
    """Run it, and return 1 when it fails."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=30_000)
    parser.add_argument("--killed", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=150)
    parser.add_argument("--seed", type=int, default=2026)
    chosen = parser.parse_args()
    told = {
        "FLAGSTAFF_SOAK": str(chosen.jobs),
        "FLAGSTAFF_SOAK_KILLS": str(chosen.killed),
        "FLAGSTAFF_SOAK_RATE": str(chosen.rate),
        "FLAGSTAFF_SOAK_SEED": str(chosen.seed),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-s", TEST]
    root = Path(__file__).parent.parent
    return min(1, subprocess.run(command, check=False, cwd=root, env=os.environ | told).returncode)


if __name__ == "__main__":
    sys.exit(main())
