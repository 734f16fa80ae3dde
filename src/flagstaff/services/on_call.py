"""Who is on call?"""

from __future__ import annotations

from flagstaff.commands.model import ShowOnCall
from flagstaff.commands.outcome import Json, Outcome
from flagstaff.commands.tree import nearest
from flagstaff.errors import NotFound
from flagstaff.services.ports import OnDuty
from flagstaff.services.unit import Unit

UNSET = "flagstaff.yml does not say who is on call"


def show_on_call(unit: Unit, command: ShowOnCall) -> Outcome:
    """Say who is on call for a service.

    Raises:
        NotFound: nothing says who is on call, or the service is not known.
        Unavailable: whoever knows it does not answer.
    """
    book = unit.context.on_call
    if book is None:
        raise NotFound(
            UNSET, hint="name a schedule there: `on_call: {schedule: config/on-call.yml}`"
        )
    service = command.service or book.default
    known = book.services()
    if service not in known:
        near = nearest(service, known)
        raise NotFound(
            f"there is no service {service} to be on call for",
            hint=f"did you mean {near}?" if near else f"there are: {', '.join(known)}",
        )
    found = book.on_duty(service, unit.wall)
    people: list[Json] = [
        {
            "name": each.name,
            "level": each.level,
            "until": each.until.isoformat() if each.until else None,
        }
        for each in found
    ]
    data: dict[str, Json] = {"service": service, "on_call": people}
    if not found:
        return Outcome(ok=False, text=f"nobody is on call for {service} now", data=data)
    lines = [f"on call for {service}:", *(_line(each) for each in found)]
    return Outcome(text="\n".join(lines), data=data)


def _line(each: OnDuty) -> str:
    until = f" until {each.until:%Y-%m-%d %H:%M %Z}" if each.until else ""
    return f"level {each.level}: {each.name}{until}"
