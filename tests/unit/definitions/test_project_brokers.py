"""Does `brokers:` say how each is reached, and every mistake with its remedy?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from flagstaff.definitions import load_project
from flagstaff.definitions.brokers import Broker
from flagstaff.errors import DefinitionError


def load(tmp_path, text):
    (tmp_path / "flagstaff.yml").write_text(f"brokers:\n  main: {text}\n")
    return load_project(tmp_path).brokers


@pytest.mark.parametrize(
    ("text", "broker"),
    [
        ("{url: redis://redis.internal:6379/0}", Broker(url="redis://redis.internal:6379/0")),
        (
            "{url_file: secrets/broker, workers: 4, timeout: 5s}",
            Broker(url_file="secrets/broker", workers=4, timeout=timedelta(seconds=5)),
        ),
        (
            "{url_file: secrets/broker, management: http://rabbitmq:15672}",
            Broker(url_file="secrets/broker", management="http://rabbitmq:15672"),
        ),
        (
            "{app: shop.celery:app, folder: app, environment: [BROKER]}",
            Broker(app="shop.celery:app", folder="app", environment=("BROKER",)),
        ),
    ],
)
def test_a_broker_is_read(tmp_path, text, broker):
    assert load(tmp_path, text) == {"main": broker}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{workers: 2}", "nothing says how the broker 'main' is reached"),
        ("{url: redis://x, app: 'a:b'}", "`brokers.main.app` is a second way"),
        ("{url: x}", "this is no address of a broker"),
        ("{url: 'redis://:pw@x'}", "put the address into a file"),
        ("{url: redis://x, folder: a}", "`brokers.main.folder` goes with `app`"),
        ("{app: 'a b'}", "no Celery application"),
        ("{app: a, folder: ../b}", "not inside the project"),
        ("{url: redis://x, workers: 0}", "no number of workers"),
        ("{url: redis://x, timeout: 1h}", "no time for an answer"),
        ("{url: amqp://x, management: 'x:15672'}", "no web address"),
        ("{url: amqp://x, management: 'http://u:p@x'}", "a name or a password in it"),
        ("{url: redis://x, port: 1}", "port"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, says):
    with pytest.raises(DefinitionError) as caught:
        load(tmp_path, text)
    told = "\n".join(f"{each.what} {each.remedy}" for each in caught.value.problems)
    assert says in told.replace('"', "'")
    assert "pw" not in told
