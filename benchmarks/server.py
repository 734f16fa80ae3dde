"""How soon does a change reach everybody, and how fast are answers, beside a peer in one run?

Streams are held by a process of its own (`server_streams.py`), real SDKs by another. The time is
counted twice: from the commit of a change, and from the moment the change is *asked for*, which
holds permission, transaction and the disk's `fsync` as well.
Requests are made by `wrk`, for ours and for npm's unleash-server on
PostgreSQL in turns, on the same machine.
"""

from __future__ import annotations

import json
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.evaluation import CACHE
from benchmarks.server_ours import FLAGS, serving
from benchmarks.server_unleash import CLIENT, FRONTEND, VERSION, unleash

HERE = Path(__file__).parent
TARGETS = {1_000: 50.0, 10_000: 250.0}
"""Milliseconds within which 99 of 100 streams hear of a committed change, by their number."""

MOST_MEMORY = 12.0
"""KiB of the server's memory for each stream."""

FACTOR = 5.0
ALL_FLAGS = "frontend, all flags"
"""Only shown: no target is set for it, which evaluates fifty flags a request."""

BODY = '{"context":{"targetingKey":"42"}}'
LUA = f"""wrk.method = "POST"
wrk.body = '{BODY}'
wrk.headers["Content-Type"] = "application/json"
"""


def main() -> int:
    """Run the benchmark; 1 if a target is missed."""
    chosen = _arguments()
    report: dict[str, Any] = {"python": platform.python_version(), "missed": []}
    if "streams" in chosen.parts:
        report["streams"] = [fan_out(count, chosen.rounds) for count in chosen.streams]
        report["changes"] = every_change(chosen.changes, chosen.changes_streams)
        print(_streams_table(report["streams"]))
        print(_changes_line(report["changes"]))
        report["missed"] += _stream_misses(report)
    if "requests" in chosen.parts:
        report["requests"] = requests(chosen.seconds, chosen.rounds)
        print(_requests_table(report["requests"]))
        report["missed"] += _request_misses(report["requests"])
    print("\n".join(report["missed"]) or "all targets reached")
    Path(chosen.json).parent.mkdir(parents=True, exist_ok=True)
    Path(chosen.json).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 1 if report["missed"] else 0


def fan_out(count: int, rounds: int) -> dict[str, Any]:
    """Return when so many streams and a few SDKs heard of each of some changes."""
    print(f"{count:,} streams …", file=sys.stderr, flush=True)
    with serving() as ours:
        ours.switch(on=True)
        before = ours.resident
        with _watching("server_streams.py", ours.port, ours.token, count) as streams:
            memory = (ours.resident - before) / count
            file = ours.root / ".flagstaff" / "token"
            with _watching("server_sdks.py", ours.url, file, 10) as sdks:
                ours.connection.close()  # the server may have, which idled while all connected
                asked = []
                for number in range(rounds * 4):
                    time.sleep(1)  # until nothing of the last one is under way
                    asked.append(ours.switch(on=number % 2 == 1))
                time.sleep(2)
                moments = sdks.told()
            found = streams.told()
        commits = ours.commits()[-len(asked) :]
    first = max(int(each) for each in found["heard"]) - len(asked) + 1
    heard = [found["heard"][str(first + number)] for number in range(len(asked))]
    late = _since(commits, heard)
    whole = _since([began for began, _ in asked], heard)
    assert len(late) == count * len(asked), "a stream missed a change"
    in_sdks = sorted(
        1000 * (moment - max(each for each in commits if each < moment)) for moment, _ in moments
    )
    return {
        "streams": count,
        "changes": len(asked),
        "p50": _part(late, 0.5),
        "p99": _part(late, 0.99),
        "asked_p50": _part(whole, 0.5),
        "asked_p99": _part(whole, 0.99),
        "sdk_p50": _part(in_sdks, 0.5),
        "sdk_p99": _part(in_sdks, 0.99),
        "command": _part(sorted(1000 * took for _, took in asked), 0.5),
        "kib": round(memory, 1),
        "wrong": found["back"] + found["gaps"] + found["closed"],
    }


def _since(began: list[float], heard: list[list[float]]) -> list[float]:
    """Return the milliseconds from each beginning to all that followed it, in order."""
    return sorted(
        1000 * (moment - start)
        for start, moments in zip(began, heard, strict=True)
        for moment in moments
    )


def every_change(changes: int, count: int) -> dict[str, Any]:
    """Return what streams heard of changes that follow each other as fast as they are taken."""
    print(f"{changes:,} changes …", file=sys.stderr, flush=True)
    with serving() as ours, _watching("server_streams.py", ours.port, ours.token, count) as streams:
        ours.connection.close()
        began = time.monotonic()
        for number in range(changes):
            ours.switch(on=number % 2 == 0)
        took = time.monotonic() - began
        time.sleep(2)
        found = streams.told()
    return {
        "changes": changes,
        "streams": count,
        "a_second": round(changes / took),
        "events_of_one_stream": round(found["events"] / count),
        "wrong": found["back"] + found["gaps"] + found["closed"],
        "ended_together": found["last"] == [FLAGS + changes],
    }


def requests(seconds: float, rounds: int) -> list[dict[str, Any]]:
    """Return requests a second and the slowest hundredth, ours and the peer's in turns."""
    print("requests …", file=sys.stderr, flush=True)
    found = []
    with serving() as ours, unleash(FLAGS) as peer, tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "post.lua"
        script.write_text(LUA, encoding="utf-8")
        token = ["-H", f"Authorization: {ours.token}"]
        theirs = ["-H", f"Authorization: {CLIENT}"]
        features = "/api/client/features"
        known = ["-H", f"If-None-Match: {_tag(ours.url + features, token)}"]
        known_there = ["-H", f"If-None-Match: {_tag(peer + features, theirs)}"]
        post = ["-s", str(script), "-H", f"Authorization: Bearer {ours.token}"]
        all_flags = "/api/frontend?userId=42"
        front = ["-H", f"Authorization: {FRONTEND}"]
        one = "/ofrep/v1/evaluate/flags/flag_1"
        for name, mine, other in (
            ("client/features, 200", [*token, features], [*theirs, features]),
            ("client/features, 304", [*token, *known, features], [*theirs, *known_there, features]),
            (ALL_FLAGS, [*token, all_flags], [*front, all_flags]),
            ("OFREP, one flag; there: frontend", [*post, one], [*front, all_flags]),
        ):
            pairs = [
                (_load(ours.url, mine, seconds), _load(peer, other, seconds)) for _ in range(rounds)
            ]
            found.append(_compared(name, pairs))
    return found


def _compared(name: str, pairs: list[tuple[dict[str, float], dict[str, float]]]) -> dict[str, Any]:
    return {
        "name": name,
        "ours": round(statistics.median(ours["rate"] for ours, _ in pairs)),
        "theirs": round(statistics.median(theirs["rate"] for _, theirs in pairs)),
        "times": round(statistics.median(a["rate"] / b["rate"] for a, b in pairs), 1),
        "p99": statistics.median(ours["p99"] for ours, _ in pairs),
        "their_p99": statistics.median(theirs["p99"] for _, theirs in pairs),
    }


def _load(url: str, arguments: list[str], seconds: float) -> dict[str, float]:
    *options, path = arguments
    wrk = ["wrk", "-t1", "-c16", f"-d{seconds:g}s", "--latency", *options, url + path]
    done = subprocess.run(wrk, check=True, capture_output=True, text=True)
    assert "Non-2xx" not in done.stdout, done.stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s)", done.stdout)
    assert rate, done.stdout
    assert slow, done.stdout
    scale = {"us": 0.001, "ms": 1.0, "s": 1000.0}[slow[2]]
    return {"rate": float(rate[1]), "p99": round(float(slow[1]) * scale, 2)}


def _tag(url: str, options: list[str]) -> str:
    done = subprocess.run(
        ["curl", "-si", *options, url], check=True, capture_output=True, text=True
    )
    found = re.search(r"(?im)^etag: (.+?)\s*$", done.stdout)
    assert found, done.stdout
    return found[1]


class _Watching:
    """A process that listens until it is asked what it heard."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def line(self) -> Any:
        """Return what the process says next."""
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def told(self) -> Any:
        """Return what it heard until now."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self.line()


@contextmanager
def _watching(script: str, *arguments: object) -> Iterator[_Watching]:
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            found = _Watching(process)
            found.line()
            yield found
        finally:
            process.kill()


def _part(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)


def _streams_table(rows: list[dict[str, Any]]) -> str:
    lines = ["milliseconds from the commit of a change to its being heard"]
    lines += [
        f"  {row['streams']:>6,} streams  p50 {row['p50']:>6}  p99 {row['p99']:>6}   "
        f"SDKs among them: p50 {row['sdk_p50']:>6}  p99 {row['sdk_p99']:>6}   "
        f"from asking for it: p50 {row['asked_p50']:>6}  p99 {row['asked_p99']:>6}   "
        f"{row['kib']} KiB a stream"
        for row in rows
    ]
    return "\n".join(lines)


def _changes_line(row: dict[str, Any]) -> str:
    return (
        f"{row['changes']:,} changes, {row['a_second']} a second, to {row['streams']:,} streams: "
        f"{row['events_of_one_stream']:,} events for each, {row['wrong']} missed or out of order"
    )


def _requests_table(rows: list[dict[str, Any]]) -> str:
    lines = [f"requests a second (p99 in ms), ours and unleash-server {VERSION} on PostgreSQL"]
    lines += [
        f"  {row['name']:34} {row['ours']:>7,} ({row['p99']})   {row['theirs']:>6,} "
        f"({row['their_p99']})   {row['times']}x"
        for row in rows
    ]
    return "\n".join(lines)


def _stream_misses(report: dict[str, Any]) -> list[str]:
    found = []
    for row in report["streams"]:
        most = TARGETS.get(row["streams"])
        if most and row["p99"] > most:
            found.append(f"missed: {row['streams']:,} streams: p99 {row['p99']} ms, not {most:g}")
        if row["streams"] in TARGETS and row["kib"] > MOST_MEMORY:
            found.append(f"missed: {row['kib']} KiB a stream, not {MOST_MEMORY:g}")
        if row["wrong"]:
            found.append(f"missed: {row['streams']:,} streams: {row['wrong']} events were wrong")
    if report["changes"]["wrong"] or not report["changes"]["ended_together"]:
        found.append("missed: a change did not reach every stream")
    return found


def _request_misses(rows: list[dict[str, Any]]) -> list[str]:
    return [
        f"missed: {row['name']}: {row['times']}x, p99 {row['p99']} against {row['their_p99']} ms"
        for row in rows
        if row["name"] != ALL_FLAGS and (row["times"] < FACTOR or row["p99"] >= row["their_p99"])
    ]


def _arguments() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="*", default=["streams", "requests"])
    parser.add_argument("--streams", nargs="*", type=int, default=list(TARGETS))
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--changes-streams", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--json", default=str(CACHE / "server.json"))
    chosen = parser.parse_args()
    if "requests" in chosen.parts and not shutil.which("wrk"):
        parser.error("wrk is not installed: apt-get install wrk, or --parts streams")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
