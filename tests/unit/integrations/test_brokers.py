"""Does a rollout hear from a broker what a person would, and only from one that is declared?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from flagstaff.definitions import Project
from flagstaff.definitions.brokers import Broker
from flagstaff.errors import NotFound
from flagstaff.integrations.brokers import SHOWN, Brokers, _achieved, _in_words, _why
from flagstaff.integrations.process import Ended
from flagstaff.integrations.world import World
from flagstaff.rollouts.checks import CheckDrained, CheckWorkersReady, DeleteQueue, MigrateJobs
from flagstaff.rollouts.effect import ChangeBroker
from flagstaff.rollouts.event import EffectFailed, EffectHeld

READY = CheckWorkersReady(name="new", broker="main")
DRAINED = CheckDrained(name="old", broker="main", queues=("shop",))
APP = """
import sys
from celery import Celery
print("TOKEN" in __import__("os").environ, file=sys.stderr)
app = Celery("shop", broker="redis://127.0.0.1:1/0", set_as_current=False)
app.conf.broker_connection_max_retries = 1
"""


def asked(root, broker, check=READY):
    return World(root, Project(brokers={"main": broker})).check(check, key="1/a/0", flag="f")


@pytest.mark.parametrize("check", [READY, DRAINED])
@pytest.mark.parametrize("way", ["url", "url_file"])
def test_a_broker_that_is_away_is_a_no_in_words(tmp_path, way, check):
    address = "redis://:secret@127.0.0.1:1/0" if way == "url_file" else "redis://127.0.0.1:1/0"
    (tmp_path / "broker").write_text(f"{address}\n")
    # Of the project's own folder nothing is imported.
    (tmp_path / "redis.py").write_text("raise SystemExit(9)")
    answer = asked(tmp_path, Broker(**{way: "broker" if way == "url_file" else address}), check)
    assert not answer.yes
    assert "the broker does not answer" in answer.output
    assert "secret" not in answer.output


def test_the_application_is_imported_from_its_folder_and_sees_what_is_declared(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("TOKEN", "1")
    (tmp_path / "code").mkdir()
    (tmp_path / "code/shop_of_test.py").write_text(APP)
    broker = Broker(app="shop_of_test:app", folder="code")
    assert asked(tmp_path, broker).output.splitlines()[0] == "False"
    told = Broker(app="shop_of_test:app", folder="code", environment=("TOKEN",))
    assert asked(tmp_path, told).output.splitlines()[0] == "True"
    assert "no Celery application" in asked(tmp_path, Broker(app="nowhere:app")).output


@pytest.mark.parametrize("check", [READY, DRAINED])
def test_the_management_that_is_declared_is_asked(tmp_path, check):
    broker = Broker(url="amqp://x", management="http://x:15672")
    brokers = Brokers(tmp_path, Project(brokers={"main": broker}))
    words, _ = brokers._words(check, broker)
    assert words[words.index("--management") + 1] == "http://x:15672"


@pytest.mark.parametrize("cleaned_up", [False, True])
def test_what_only_the_declaration_tells_is_asked_before_the_cleanup(tmp_path, cleaned_up):
    broker = Broker(url="redis://x")
    brokers = Brokers(tmp_path, Project(brokers={"main": broker}))
    words, _ = brokers._words(replace(DRAINED, cleaned_up=cleaned_up), broker)
    assert ("--cleaned-up" in words) is cleaned_up


def test_only_what_is_declared_is_asked(tmp_path):
    with pytest.raises(NotFound, match="no broker 'main'"):
        World(tmp_path, Project()).check(READY, key="1/a/0", flag="f")


@pytest.mark.parametrize(
    ("check", "code", "output", "text"),
    [
        (READY, 0, "✓ a, takes jobs from q\nnew may be published", "every worker knows new"),
        (
            READY,
            1,
            (
                "✓ a, takes jobs from q\n✗ b, takes jobs from q\nb does not know new\n"
                "new must not be published"
            ),
            "new must not be published: b does not know new",
        ),
        (
            DRAINED,
            0,
            "✓ queue q: empty\ndrained: nothing found for 5.0 s, 3 looks",
            "old is drained",
        ),
        (
            DRAINED,
            1,
            (
                "✓ unacked: empty\n✗ queue q: found, 2 jobs\n? beat entries: unknown, give --app\n"
                "old is not drained"
            ),
            "old is not drained: queue q: found, 2 jobs; beat entries: unknown, give --app",
        ),
    ],
)
def test_what_is_missing_stands_in_the_note(check, code, output, text):
    assert _in_words(check, Ended(code=code, output=output)).startswith(text)


MIGRATE = MigrateJobs(name="old", to="new", broker="main", old_queue="a", new_queue="b")
DELETE = DeleteQueue(queue="a", broker="main")
WORK = pytest.mark.parametrize("work", [MIGRATE, DELETE])


def performed(root, broker, work):
    effect = ChangeBroker(key="1/a/0", step="a", work=work)
    return World(root, Project(brokers={"main": broker})).perform(effect, None)


@WORK
def test_work_at_a_broker_that_is_away_is_held(tmp_path, work):
    held = performed(tmp_path, Broker(url="redis://127.0.0.1:1/0"), work)
    assert isinstance(held, EffectHeld)
    assert "the broker does not answer" in held.reason


@WORK
def test_what_the_broker_cannot_do_at_all_has_failed(tmp_path, work):
    # Workers are asked first, and this kind of broker knows of none.
    failed = performed(tmp_path, Broker(app="nowhere:app"), work)
    assert isinstance(failed, EffectFailed)
    assert failed.error.startswith("there is no Celery application at nowhere:app")


@WORK
def test_only_brokers_that_are_declared_are_changed(tmp_path, work):
    effect = ChangeBroker(key="1/a/0", step="a", work=work)
    with pytest.raises(NotFound, match="no broker 'main'"):
        World(tmp_path, Project()).perform(effect, None)


@pytest.mark.parametrize(
    ("code", "output", "text"),
    [
        (
            0,
            (
                "queue a: 500 of 900\n✓ queue a: 900 jobs\n900 jobs of old migrated to new\n"
                "next: flagstaff workers drained old"
            ),
            "900 jobs of old migrated to new",
        ),
        (
            1,
            (
                "error: new is not safe to wait for a worker: w does not know new\n"
                "flagstaff workers ready new; --force where you know better"
            ),
            (
                "new is not safe to wait for a worker: w does not know new; "
                "flagstaff workers ready new; --force where you know better"
            ),
        ),
        (1, "", "it ended with 1"),
        (None, "queue a: 500 of 900", "it took longer than 9 s"),
    ],
)
def test_what_came_of_the_work_stands_in_the_note(code, output, text):
    ended = Ended(code=code, output=output, why="it took longer than 9 s" if code is None else "")
    assert (_achieved(ended) if code == 0 else _why(ended)) == text


def test_a_note_is_short_and_a_look_that_hangs_says_so():
    many = "\n".join(f"✗ queue {number}: found" for number in range(100)) + "\nold is not drained"
    assert len(_in_words(DRAINED, Ended(code=1, output=many))) == SHOWN + 1
    assert _in_words(DRAINED, Ended(code=None, output="", why="it took longer than 9 s")) == (
        "old: it took longer than 9 s"
    )
