"""What does `on_call:` in `flagstaff.yml` say?"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from flagstaff.definitions.fields import Fields
from flagstaff.definitions.on_call import OnCall
from flagstaff.definitions.web_address import is_web_address
from flagstaff.errors import UsageError

_ADDRESSES: Final = {
    "pagerduty": "https://api.pagerduty.com",
    "opsgenie": "https://api.opsgenie.com",
}
_SOURCES: Final = ("schedule", *_ADDRESSES)


def read_on_call(project: Fields) -> OnCall | None:
    """Return what is set under `on_call`, and note what is wrong there."""
    fields = project.mapping("on_call")
    if fields is None:
        return None
    fields.unknown((*_SOURCES, "default"), fields.problems.error)
    given = [name for name in _SOURCES if fields.has(name)]
    if len(given) != 1:
        fields.problems.error(
            f"{project.label('on_call')} needs one of {', '.join(_SOURCES)}",
            line=project.line("on_call"),
            remedy="name a file such as `schedule: config/on-call.yml`",
        )
        return None
    default = fields.text("default") or OnCall().default
    if given == ["schedule"]:
        return OnCall(schedule=fields.text("schedule") or "", default=default)
    return _asked(fields, given[0], default)


def _asked(fields: Fields, name: str, default: str) -> OnCall | None:
    source = fields.mapping(name)
    if source is None:
        return None
    source.unknown(("url", "services"), source.problems.error)
    address = source.parsed("url", _web_address) or _ADDRESSES[name]
    services = source.texts("services") or {}
    if not services:
        source.problems.error(
            f"{source.label('services')} names none",
            line=source.line("services"),
            remedy=f"add such as `services: {{{default}: …}}` with what it is called there",
        )
    elif default not in services:
        source.problems.error(
            f"{source.label('services')} lacks {default}, which is asked when none is named",
            line=source.line("services"),
            remedy="add it, or name another one with `default:`",
        )
    kept = MappingProxyType(services)
    if name == "pagerduty":
        return OnCall(pagerduty=address.rstrip("/"), services=kept, default=default)
    return OnCall(opsgenie=address.rstrip("/"), services=kept, default=default)


def _web_address(text: str) -> str:
    if is_web_address(text):
        return text
    raise UsageError(
        "this is no web address", hint="write one that starts with http:// or https://"
    )
