"""What has a person typed into a form?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qs

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response

from flagstaff.errors import UsageError

MOST_FIELDS = 200


class Form:
    """The fields of a form, each possibly several times."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        self._fields = fields

    @classmethod
    def read(cls, body: bytes) -> Form:
        """Return the form that a browser encoded as `body`.

        Raises:
            UsageError: it is no such form.
        """
        try:
            text = body.decode("ascii")
            fields = parse_qs(
                text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
            )
        except ValueError as exc:
            raise UsageError(f"this is no form: {exc}", hint="send it from the page") from exc
        return cls(fields)

    def text(self, name: str) -> str:
        """Return what was typed, without the blanks around it and with plain line ends."""
        return self.raw(name).strip()

    def raw(self, name: str) -> str:
        """Return what was typed, with plain line ends."""
        values = self._fields.get(name, [])
        return values[0].replace("\r\n", "\n") if values else ""

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value chosen under a name."""
        return tuple(self._fields.get(name, []))

    def pairs(self) -> list[tuple[str, str]]:
        """Return every field with each of its values, with plain line ends."""
        return [
            (name, value.replace("\r\n", "\n"))
            for name, values in self._fields.items()
            for value in values
        ]

    def reason(self, verb: str) -> str:
        """Return the reason that was typed.

        Raises:
            UsageError: there is none.
        """
        if typed := self.text("reason"):
            return typed
        raise UsageError(
            f"to {verb}, a reason is needed",
            hint="others will read it in the audit log: one line about why",
        )


EMPTY = Form({})
Handler = Callable[[Request, Form], Response]


def posting(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that reads the form and lets the handler work in the thread pool."""

    async def endpoint(request: Request) -> Response:
        form = Form.read(await request.body())
        return await run_sync(handler, request, form)

    return endpoint
