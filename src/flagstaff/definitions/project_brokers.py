"""What does `brokers:` in `flagstaff.yml` say?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from flagstaff.definitions.brokers import Broker
from flagstaff.definitions.duration import parse_duration
from flagstaff.definitions.fields import Fields
from flagstaff.definitions.problems import quote
from flagstaff.definitions.project_commands import folder_inside, variable
from flagstaff.errors import UsageError

_WAYS: Final = ("url", "url_file", "app")
_OF_APPS: Final = ("folder", "environment")
_KEYS: Final = (*_WAYS, *_OF_APPS, "workers", "timeout", "management")
_APP: Final = re.compile(r"[A-Za-z_][\w.]*(?::[A-Za-z_][\w.]*)?")
_LONGEST: Final = timedelta(minutes=1)


def read_brokers(project: Fields) -> Mapping[str, Broker]:
    """Return the brokers that are in order, by name, and note what is wrong with others."""
    brokers = project.mapping("brokers")
    found = {}
    for name in brokers or ():
        fields = brokers.mapping(name) if brokers else None
        broker = _broker(name, fields) if fields is not None else None
        if broker is not None:
            found[name] = broker
    return MappingProxyType(found)


def _broker(name: str, fields: Fields) -> Broker | None:
    before = len(fields.problems.errors)
    fields.unknown(_KEYS, fields.problems.error)
    ways = [each for each in _WAYS if fields.has(each)]
    if len(ways) != 1:
        fields.problems.error(
            f"{fields.label(ways[1])} is a second way to reach it"
            if ways
            else f"nothing says how the broker {quote(name)} is reached",
            line=fields.line(ways[1] if ways else ""),
            remedy="write one of `url`, `url_file` and `app`",
        )
    for key in _OF_APPS:
        if fields.has(key) and not fields.has("app"):
            fields.problems.error(
                f"{fields.label(key)} goes with `app`", line=fields.line(key), remedy="leave it out"
            )
    default = Broker()
    broker = Broker(
        url=fields.parsed("url", _url) or "",
        url_file=fields.text("url_file") or "",
        app=fields.parsed("app", _app) or "",
        folder=fields.parsed("folder", folder_inside) or default.folder,
        environment=fields.parsed_list("environment", variable) or (),
        workers=fields.parsed("workers", _number) or 0,
        timeout=fields.parsed("timeout", _timeout) or default.timeout,
        management=fields.parsed("management", _management) or "",
    )
    return broker if len(fields.problems.errors) == before else None


def _url(text: str) -> str:
    # The text stays out of the message: it may hold a password.
    if "://" not in text or text.startswith("-"):
        raise UsageError(
            "this is no address of a broker", hint="write one such as redis://redis.internal:6379/0"
        )
    if "@" in text:
        raise UsageError(
            "there is a name or a password in it", hint="put the address into a file: `url_file`"
        )
    return text


def _management(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise UsageError(
            "this is no web address", hint="write one such as http://rabbitmq.internal:15672"
        )
    return _url(text)


def _app(text: str) -> str:
    if _APP.fullmatch(text):
        return text
    raise UsageError(
        f"{quote(text)} is no Celery application", hint="write one such as shop.celery:app"
    )


def _number(text: str) -> int:
    if re.fullmatch(r"[1-9][0-9]{0,5}", text):
        return int(text)
    raise UsageError(
        f"{quote(text)} is no number of workers", hint="write 1 or more, or leave it out"
    )


def _timeout(text: str) -> timedelta:
    found = parse_duration(text)
    if timedelta(0) < found <= _LONGEST:
        return found
    raise UsageError(f"{quote(text)} is no time for an answer", hint="write 1s to 1m")
