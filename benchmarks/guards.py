"""Are guards right? `python -m benchmarks.guards` runs the gates B1 to B14 and fails with them.

Wants numpy. `--scale 0.2` runs a fifth, `--only B1,B3` some, `--cell "at 1%, 100 req/s"` some cells
of B4 and B5, `--fault overlap` feeds the data path a fault that B1 has to notice.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

import numpy as np

from benchmarks import guards_actors as people
from benchmarks import guards_pairs as pairs
from benchmarks import guards_rates as rates
from benchmarks import guards_rollouts as rollouts
from benchmarks import guards_single as single
from benchmarks.guards_gate import Row, failures

SEED = 20_240_607

GATES = {
    "B1": rates.b1,
    "B2": rates.b2,
    "B3": rates.b3,
    "B4": rates.b4,
    "B5": rates.b5,
    "B6": rates.b6,
    "B7": rollouts.b7,
    "B8": rollouts.b8,
    "B9": rates.b9,
    "B10": rollouts.b10,
    "B11": rollouts.b11,
    "B12": rollouts.b12,
    "B13": single.b13,
    "B14": people.b14,
}


MORE = {"B8": pairs.b8_read}
"""The same gate through the product's own readers."""

CELLED = {"B4": rates.b4, "B5": rates.b5}


def run(names: list[str], scale: float, fault: str, cell: str) -> Iterator[Row]:
    """Yield the rows of the named gates, each from its own fixed seed."""
    for name in names:
        rng = np.random.default_rng([SEED, int(name[1:])])
        if fault and name == "B1":
            yield from rates.b1(rng, scale, fault)
        elif cell and name in CELLED:
            yield from CELLED[name](rng, scale, cell)
        else:
            yield from GATES[name](rng, scale)
        if name in MORE:
            yield from MORE[name](rng, scale)


def main() -> int:
    """Run, print, and return 1 when a gate does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", default=",".join(GATES))
    parser.add_argument("--cell", default="", help="a part of the names of the cells of B4 and B5")
    parser.add_argument("--fault", choices=["overlap", "twice"], default="")
    chosen = parser.parse_args()
    rows, begun = [], time.monotonic()
    for row in run(chosen.only.split(","), chosen.scale, chosen.fault, chosen.cell):
        print(row, flush=True)
        rows.append(row)
    missed = failures(rows)
    print(f"{len(rows) - len(missed)} of {len(rows)} hold, {time.monotonic() - begun:.0f} s")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
