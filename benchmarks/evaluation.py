"""How fast is an evaluation beside its peers', in one run on one machine?

Every peer is installed into an environment of its own under `.cache/benchmarks` and asked in a
process of its own. Numbers are medians of rounds that take turns with an empty Python call of the
same signature, and are given as multiples of it, so that they compare between machines.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import venv
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parent / ".cache" / "benchmarks"
SIZES = (1, 100, 10_000)
SCENARIOS = (
    "boolean",
    "percentage of actors",
    "list of 1,000 actors",
    "rule and percentage",
)
TARGETS = dict(zip(SCENARIOS, (5.0, 11.0, 7.0, 14.0), strict=True))
LOAD_SECONDS = 1.0
TIMEOUT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One library: its module under `peers`, its name for people and what pip installs."""

    module: str
    name: str
    package: str = ""


PEERS = (
    Peer(module="ours", name="Flagstaff"),
    Peer(module="ours_handle", name="Flagstaff, handle"),
    Peer(module="eppo", name="Eppo (Rust)", package="eppo-server-sdk"),
    Peer(module="growthbook", name="GrowthBook", package="growthbook"),
    Peer(module="flagsmith", name="Flagsmith engine", package="flagsmith-flag-engine"),
    Peer(module="openfeature_memory", name="OpenFeature in-memory", package="openfeature-sdk"),
    Peer(module="launchdarkly", name="LaunchDarkly", package="launchdarkly-server-sdk"),
    Peer(module="flagd", name="flagd in-process", package="openfeature-provider-flagd"),
    Peer(module="unleash", name="UnleashClient", package="UnleashClient"),
    Peer(module="waffle", name="django-waffle", package="django-waffle"),
)


def main() -> int:
    """Run the benchmark; 1 if our own targets are missed."""
    chosen = _arguments()
    results: list[dict[str, object]] = []
    for peer in PEERS:
        if chosen.only and peer.module not in chosen.only:
            continue
        print(f"{peer.name} …", file=sys.stderr, flush=True)
        results.append(run(peer, tuple(chosen.flags)))
    print(table(results, tuple(chosen.flags)))
    missed = misses(results)
    print("\n".join(missed) or "all targets reached")
    report = {
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "results": results,
        "missed": missed,
    }
    Path(chosen.json).parent.mkdir(parents=True, exist_ok=True)
    Path(chosen.json).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 1 if missed else 0


def run(peer: Peer, sizes: tuple[int, ...]) -> dict[str, object]:
    """Return what was measured, or why nothing was."""
    found: dict[str, object] = {"peer": peer.module, "name": peer.name}
    try:
        python = environment(peer)
        found["version"] = installed_version(peer, python)
        found["sizes"] = {str(size): measured(peer, python, size) for size in sizes}
    except (subprocess.SubprocessError, OSError, ValueError) as exc:
        errors = getattr(exc, "stderr", None) or str(exc)
        found["failed"] = errors.strip().splitlines()[-1] if errors.strip() else repr(exc)
    return found


def environment(peer: Peer) -> str:
    """Return the interpreter that has the peer installed; make it if need be."""
    if not peer.package:
        return sys.executable
    folder = CACHE / peer.module
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        venv.create(folder, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "--quiet", peer.package]
        subprocess.run(install, check=True, capture_output=True, text=True, timeout=TIMEOUT)
        (folder / "installed").touch()
    return str(python)


def installed_version(peer: Peer, python: str) -> str:
    """Return the version of the peer's package."""
    if not peer.package:
        return version("flagstaff")
    ask = f"from importlib.metadata import version; print(version({peer.package!r}))"
    return _output([python, "-c", ask]).strip()


def measured(peer: Peer, python: str, flags: int) -> dict[str, object]:
    """Return what the peer's own process found with so many flags loaded."""
    found: dict[str, object] = json.loads(
        _output([python, str(HERE / "measure.py"), peer.module, str(flags)])
    )
    return found


def table(results: list[dict[str, object]], sizes: tuple[int, ...]) -> str:
    """Return the results for people: multiples of an empty call, by scenario and size."""
    lines = ["multiples of an empty Python call of the same signature (nanoseconds in brackets)"]
    for scenario in SCENARIOS:
        lines += ["", f"{scenario}{'':4}ours must reach {TARGETS[scenario]:g}x"]
        lines.append(f"  {'':26}" + "".join(f"{f'{size:,} flags':>22}" for size in sizes))
        for result in results:
            cells = [_cell(result, size, scenario) for size in sizes]
            lines.append(f"  {result['name']:26}" + "".join(f"{cell:>22}" for cell in cells))
    lines += ["", "loading, seconds and MiB"]
    for result in results:
        cells = [_loading(result, size) for size in sizes]
        lines.append(f"  {result['name']:26}" + "".join(f"{cell:>22}" for cell in cells))
    lines += ["", "millions of boolean answers a second from 1, 2 and 4 threads"]
    for result in results:
        lines.append(f"  {result['name']:26}{_threads(result)}")
    failed = [result for result in results if "failed" in result]
    lines += ["", *(f"{each['name']} was not measured: {each['failed']}" for each in failed)]
    return "\n".join(lines)


def misses(results: list[dict[str, object]]) -> list[str]:
    """Return which of our own targets were missed."""
    found: list[str] = []
    for result in results:
        if result["peer"] != "ours":
            continue
        if "failed" in result:
            return [f"ours was not measured: {result['failed']}"]
        for size, data in result["sizes"].items():  # type: ignore[attr-defined]
            for scenario, numbers in data["scenarios"].items():
                if numbers["multiple"] > TARGETS[scenario]:
                    found.append(
                        f"missed: {scenario} with {size} flags takes {numbers['multiple']}x, "
                        f"more than {TARGETS[scenario]:g}x"
                    )
            if data["load_seconds"] > LOAD_SECONDS:
                found.append(f"missed: {size} flags load in {data['load_seconds']} s")
    return found


def _arguments() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", help="modules of the peers to run")
    parser.add_argument("--flags", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--json", default=str(CACHE / "evaluation.json"))
    return parser.parse_args()


def _output(command: list[str]) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT)
    return done.stdout


def _data(result: dict[str, object], size: int) -> dict[str, object] | None:
    sizes = result.get("sizes")
    return sizes.get(str(size)) if isinstance(sizes, dict) else None


def _cell(result: dict[str, object], size: int, scenario: str) -> str:
    data = _data(result, size)
    if data is None:
        return "not installed"
    numbers = data["scenarios"].get(scenario)  # type: ignore[attr-defined]
    return f"{numbers['multiple']:,.1f}x ({numbers['nanoseconds']:,.0f})" if numbers else "-"


def _loading(result: dict[str, object], size: int) -> str:
    data = _data(result, size)
    return f"{data['load_seconds']} s {data['load_mebibytes']} MiB" if data else "not installed"


def _threads(result: dict[str, object]) -> str:
    data = _data(result, 1)
    if data is None:
        return "-"
    numbers = data["scenarios"]["boolean"]["millions_per_second"]  # type: ignore[index]
    return "  ".join(f"{numbers[count]:.3f}" for count in ("1", "2", "4"))


if __name__ == "__main__":
    sys.exit(main())
