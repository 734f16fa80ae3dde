"""Do 200 rollouts survive kills, cuts and freezes? Runs the long form of their test.

`--rollouts N` chooses how many on each store, `--seed S` which and what happens to them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

TEST = "tests/integration/test_engine_kills.py"


def main() -> int:
    """Run it, and return 1 when it fails."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rollouts", type=int, default=200)
    parser.add_argument("--seed", default="2026")
    chosen = parser.parse_args()
    told = {"FLAGSTAFF_KILLS": str(chosen.rollouts), "FLAGSTAFF_KILLS_SEED": chosen.seed}
    command = [sys.executable, "-m", "pytest", "-q", "-s", TEST]
    root = Path(__file__).parent.parent
    return min(1, subprocess.run(command, check=False, cwd=root, env=os.environ | told).returncode)


if __name__ == "__main__":
    sys.exit(main())
