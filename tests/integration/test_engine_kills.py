"""Rollouts whose servers are killed, frozen and cut off end as if nothing had happened to them.

The short form runs always; `make bench ARGS=kills` runs the long one, with 200 rollouts each and
with servers that are broken on purpose.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pytest
from kills.chaos import Chaos
from kills.judge import collect, judge
from kills.outside import Webhook
from kills.person import Person, Stuck
from kills.scripts import PLANS, scripts
from kills.servers import Server
from network import Network

from postgres import KillablePostgres

SEED = os.environ.get("FLAGSTAFF_KILLS_SEED", "2026")
SHORT = 6
ROLLOUTS = int(os.environ.get("FLAGSTAFF_KILLS", str(SHORT)))
PLANNED = min(ROLLOUTS, PLANS)
LONG = ROLLOUTS > 50
KILLS, SHARE, AT_ONCE = (12, 0.1, 200) if LONG else (2, 0.15, 16)
"""Kills at any time and at most at arrivals, share of arrivals that kill, and how many rollouts are
under way together: each kill meets all of them."""

PATIENCE = 300.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.network,
    pytest.mark.enable_socket,
    pytest.mark.timeout(3600 if LONG else 1800),
]


@dataclass(frozen=True)
class Story:
    """What is left of a run, and what happened in it."""

    records: dict
    surprises: list
    happened: dict
    lived_through: list
    seconds: float


def run(folder, *, count=ROLLOUTS, kills=0, database="", replicas=1, mutant="", patience=PATIENCE):
    """Run scripts to their ends, and return what is left of them."""
    given = scripts(SEED, count)
    with ExitStack() as stack:
        outside = stack.enter_context(closing(Webhook()))
        wire, urls = None, [database] * replicas
        if replicas > 1:
            port = int(database.rpartition(":")[2].partition("/")[0])
            wire = stack.enter_context(closing(Network(lambda: [port])))
            urls[-1] = database.replace(f":{port}/", f":{wire.port}/")
        servers = [
            Server(
                folder / f"server-{number}",
                webhook=outside.url(f"server-{number}"),
                flags=[each.flag for each in given],
                database=url,
                mutant=mutant,
            )
            for number, url in enumerate(urls, start=1)
        ]
        for server in servers:
            server.start()
            stack.callback(server.stop)
            server.wait()
        person = Person(servers, given, outside.has, at_once=AT_ONCE)
        zombies = [each.flag for each in given if each.zombie] if replicas > 1 and kills else []
        over = lambda flag: any(  # noqa: E731 asked from another thread
            case.over for case in person.cases if case.script.flag == flag
        )
        chaos = Chaos(
            SEED,
            servers,
            kills,
            share=SHARE,
            wire=wire,
            zombies=zombies[: max(1, count // 10)],
            is_over=over,
        )
        begun = time.monotonic()
        if kills:
            outside.on_way, outside.on_arrival = chaos.on_way, chaos.on_arrival
        with chaos:
            person.run(patience)
        seconds = time.monotonic() - begun
        for server in servers:
            server.wait()
        outside.settle(database or f"sqlite:///{servers[0].root}/.flagstaff/state.db")
        return Story(
            records=collect(person.ask, person.cases, outside.texts()),
            surprises=person.surprises,
            happened=dict(chaos.happened),
            lived_through=[
                sum(case.begun < each < case.over for each in chaos.moments)
                for case in person.cases
            ],
            seconds=seconds,
        )


@cache
def undisturbed(count=PLANNED):
    """Return the run that others are compared with; nothing happens to its server."""
    with TemporaryDirectory() as folder:
        story = run(Path(folder), count=count)
    assert story.surprises == []
    ends = {each.flag: each.ends for each in scripts(SEED, count)}
    assert {flag: each.phase for flag, each in story.records.items()} == ends
    return story


def told(store, story, verdict):
    """Print what a run was like, for whoever wants to run it again."""
    happened = ", ".join(f"{count} {how}" for how, count in sorted(story.happened.items()))
    print(  # noqa: T201 the long form is run to read this
        f"\n{store}, seed {SEED}: {verdict}\n  {happened}; a rollout lived through "
        f"{min(story.lived_through)} to {max(story.lived_through)}, median "
        f"{median(story.lived_through):g}; {story.seconds:.0f} s"
    )


def check(store, story):
    verdict = judge(undisturbed().records, story.records, scripts(SEED, ROLLOUTS))
    told(store, story, verdict)
    assert story.surprises == []
    assert verdict.problems == {}
    assert verdict.right == ROLLOUTS


def test_one_server_on_sqlite_that_is_killed_again_and_again(tmp_path):
    check("SQLite", run(tmp_path, kills=KILLS))


@pytest.mark.postgres
def test_three_replicas_killed_cut_off_and_frozen(tmp_path):
    postgres = KillablePostgres()
    try:
        story = run(tmp_path, kills=KILLS, database=postgres.url(), replicas=3)
    finally:
        postgres.stop()
    check("PostgreSQL, three replicas", story)
    assert story.happened.get("thawed after a rollback", 0) > 0
    assert story.happened.get("cut off", 0) > 0


@pytest.mark.skipif("FLAGSTAFF_KILLS" not in os.environ, reason="a part of the long form")
@pytest.mark.parametrize("mutant", ["keys_that_change", "noted_before_done"])
def test_the_judge_notices_a_server_that_is_broken_on_purpose(tmp_path, mutant):
    calm = undisturbed(SHORT).records
    try:
        story = run(tmp_path, count=SHORT, kills=KILLS, mutant=mutant, patience=90)
    except Stuck:
        return  # a rollout that never ends is noticed as well
    assert judge(calm, story.records, scripts(SEED, SHORT)).problems


def test_the_judge_notices_whatever_differs():
    calm, given = undisturbed(SHORT).records, scripts(SEED, SHORT)
    flag, record = next((f, r) for f, r in calm.items() if r.arrived and r.phase == "completed")
    key, texts = next(iter(record.arrived.items()))
    first, second, *rest = record.audit
    for changed in (
        replace(record, phase="rolled_back"),
        replace(record, gates=(*record.gates[:-1], "{}")),
        replace(record, audit=(second, first, *rest)),
        replace(record, audit=record.audit[:-1]),
        replace(record, audit=(*record.audit, record.audit[-1])),
        replace(record, arrived={}),
        replace(record, arrived={**record.arrived, f"{key}x": texts}),
        replace(record, arrived={**record.arrived, key: [*texts, "another"]}),
    ):
        assert list(judge(calm, {**calm, flag: changed}, given).problems) == [flag]
    twice = replace(record, arrived={**record.arrived, key: texts * 2})
    assert judge(calm, {**calm, flag: twice}, given).repeats == 1
    assert not judge(calm, {**calm, flag: twice}, given).problems
    assert judge(calm, {**calm, flag: twice}, given, repeats_allowed=False).problems
    assert judge(calm, {each: calm[each] for each in calm if each != flag}, given).problems
    assert not judge(calm, calm, given).problems
