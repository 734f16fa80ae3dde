"""Is no job lost while one is renamed under load, and with kills not one more than without?

`make bench ARGS=workers` runs the long form of this.
"""

from __future__ import annotations

import os
from collections import Counter
from uuid import uuid4

import pytest
from soak import Soak
from soak_site import Site

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.timeout(7200),
]

JOBS = int(os.environ.get("FLAGSTAFF_SOAK", "600"))
KILLED_JOBS = int(os.environ.get("FLAGSTAFF_SOAK_KILLS", "400"))
RATE = float(os.environ.get("FLAGSTAFF_SOAK_RATE", "60"))
SEED = int(os.environ.get("FLAGSTAFF_SOAK_SEED", "2026"))
SEEDS = int(os.environ.get("FLAGSTAFF_SOAK_SEEDS", "1"))
BETWEEN_KILLS = 2.0


@pytest.fixture(params=["redis", "rabbitmq"])
def broker(request, redis, redis_server):
    """Return the address of an empty broker; results are kept in Redis."""
    assert redis.dbsize() == 0
    if request.param == "redis":
        return redis_server.url()
    return request.getfixturevalue("rabbit_server").place(uuid4().hex)


def soaked(tmp_path, broker, redis_server, *, seed=SEED, **fields):
    folder = tmp_path / f"{'renamed' if fields['renamed'] else 'plain'}-{seed}"
    folder.mkdir()
    visible = 20 if fields.get("every") else 3600
    site = Site(folder=folder, broker=broker, backend=redis_server.url(1), visible=visible)
    result = Soak(site=site, seed=seed, **fields).run()
    print(f"{broker.partition(':')[0]} {folder.name} {result}", flush=True)  # noqa: T201 for the long form
    return result


def test_a_rename_under_load_loses_and_doubles_nothing(tmp_path, broker, redis_server):
    result = soaked(tmp_path, broker, redis_server, renamed=True, jobs=JOBS, rate=RATE)
    assert (result.lost, result.doubled - result.ended) == (0, 0)
    assert result.ended <= 2, "so many workers ended"
    assert result.published >= JOBS
    assert result.by["soak.step"] > JOBS / 5 < result.by["soaked.step"]


def test_under_kills_not_more_is_lost_than_by_plain_celery(tmp_path, broker, redis, redis_server):
    fields = {"jobs": KILLED_JOBS, "rate": RATE, "every": BETWEEN_KILLS}
    sides = {False: Counter(), True: Counter()}
    for seed in range(SEED, SEED + SEEDS):
        for renamed in (False, True) if seed % 2 else (True, False):
            redis.flushall()
            result = soaked(tmp_path, broker, redis_server, seed=seed, renamed=renamed, **fields)
            for what in ("published", "kills", "lost", "doubled"):
                sides[renamed][what] += getattr(result, what)
    plain, renamed = sides[False], sides[True]
    print(f"{broker.partition(':')[0]} plain {plain}, renamed {renamed}")  # noqa: T201 the same
    assert plain["published"] == renamed["published"]
    assert plain["kills"] == renamed["kills"] > 0
    assert not clearly_more(renamed["lost"], plain["lost"], deviations=2)
    assert not clearly_more(renamed["doubled"], plain["doubled"], deviations=3)


def clearly_more(count, other, *, deviations):
    """Say whether one count of accidents is more than another by more than chance explains.

    Accidents that do not depend on each other follow Poisson's law: the difference of two counts
    has the variance of their sum.
    """
    return count - other > deviations * (count + other) ** 0.5
