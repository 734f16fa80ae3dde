"""How long does one peer take to answer, as a multiple of an empty Python call?

Runs inside the peer's own environment, so it knows nothing but the standard library:
`python measure.py PEER FLAGS`, the result is JSON on standard output.
"""

from __future__ import annotations

import gc
import importlib
import json
import logging
import os
import resource
import statistics
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from timeit import Timer

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "15"))
ROUND_SECONDS = 0.05
THREADS = (1, 2, 4)

Call = tuple[Callable[..., object], tuple[object, ...]]


# ruff: noqa: ARG002 - taking arguments is all that these do
class Empty:
    """What a call costs that does nothing, with the arguments of the call it is compared with."""

    def ours(self, name: str, *actors: object, default: bool | None = None) -> bool:
        """Take what `is_enabled` takes."""
        return False

    def handle(self, *actors: object) -> bool:
        """Take what a handle takes."""
        return False

    def zero(self) -> bool:
        """Take nothing."""
        return False

    def one(self, a: object) -> bool:
        """Take one argument."""
        return False

    def two(self, a: object, b: object) -> bool:
        """Take two arguments."""
        return False

    def three(self, a: object, b: object, c: object) -> bool:
        """Take three arguments."""
        return False

    def four(self, a: object, b: object, c: object, d: object) -> bool:
        """Take four arguments."""
        return False


EMPTY = Empty()
BY_PEER = {"ours": EMPTY.ours, "ours_handle": EMPTY.handle}
BY_COUNT = {0: EMPTY.zero, 1: EMPTY.one, 2: EMPTY.two, 3: EMPTY.three, 4: EMPTY.four}


def timer(call: Call) -> Timer:
    """Return a timer of the call as code would write it."""
    function, arguments = call
    names = [f"a{number}" for number in range(len(arguments))]
    space = {"call": function, **dict(zip(names, arguments, strict=True))}
    return Timer(f"call({', '.join(names)})", globals=space)


def compare(call: Call, empty: Callable[..., object]) -> dict[str, float]:
    """Return the medians of rounds in which the call and the empty one take turns."""
    measured, baseline = timer(call), timer((empty, call[1]))
    number = max(10, int(ROUND_SECONDS / max(measured.timeit(50) / 50, 1e-9)))
    base_number = max(1000, int(ROUND_SECONDS / max(baseline.timeit(500) / 500, 1e-9)))
    times, multiples = [], []
    gc.collect()
    for _ in range(ROUNDS):
        base = baseline.timeit(base_number) / base_number
        took = measured.timeit(number) / number
        times.append(took)
        multiples.append(took / base)
    return {
        "nanoseconds": round(statistics.median(times) * 1e9, 1),
        "multiple": round(statistics.median(multiples), 2),
    }


def from_threads(call: Call, count: int) -> float:
    """Return millions of answers per second from `count` threads together."""
    function, arguments = call
    number = max(50, int(0.2 / max(timer(call).timeit(50) / 50, 1e-9)))

    def ask() -> None:
        for _ in range(number):
            function(*arguments)

    threads = [threading.Thread(target=ask) for _ in range(count)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(number * count / (time.perf_counter() - began) / 1e6, 4)


def main() -> None:
    """Measure the peer that is named and print what was found."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    name, flags = sys.argv[1], int(sys.argv[2])
    sys.path.insert(0, str(Path(__file__).parent))
    peer = importlib.import_module(f"peers.{name}")
    memory = _resident()
    began = time.perf_counter()
    calls: dict[str, Call] = peer.calls(flags)
    loading = time.perf_counter() - began
    found: dict[str, object] = {
        "peer": name,
        "flags": flags,
        "load_seconds": round(loading, 4),
        "load_mebibytes": round((_resident() - memory) / 1024, 1),
        "scenarios": {},
    }
    for scenario, call in calls.items():
        expected = getattr(peer, "EXPECTED", {}).get(scenario)
        answer = call[0](*call[1])
        if expected is not None:
            assert getattr(peer, "truth", bool)(answer) is expected, (name, scenario, answer)
        empty = BY_PEER.get(name) or BY_COUNT[len(call[1])]
        result: dict[str, object] = {**compare(call, empty)}
        if flags == 1:
            result["millions_per_second"] = {
                str(count): from_threads(call, count) for count in THREADS
            }
        found["scenarios"][scenario] = result  # type: ignore[index]
    if hasattr(peer, "extra"):
        found["extra"] = peer.extra()
    json.dump(found, sys.stdout)
    sys.stdout.flush()
    # Some peers leave threads that are no daemons.
    os._exit(0)


def _resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
