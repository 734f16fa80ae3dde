"""Write docs/reference/rest-api.md from the OpenAPI document; `--check` says whether it is so."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from flagstaff.server.api import described_api
from flagstaff.server.failures import STATUSES, TITLES

PAGE = Path(__file__).parents[1] / "docs/reference/rest-api.md"
METHODS = ("get", "put", "post", "delete")
USUAL = {"dry_run", "idempotency-key", "limit", "after", "if-match", "if-none-match"}

HEAD = """\
# REST API

<!-- Written by scripts/write_rest_reference.py from the OpenAPI document. -->

Everything is under `/api/v1`, wants `Authorization: Bearer TOKEN`, and is JSON unless it says otherwise.
`GET /api/v1/openapi.json` describes all of it for programs and needs no token.

```sh
curl -X PUT https://flags.internal/api/v1/flags/new_navigation/environments/dev/gates \\
  -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -H "Idempotency-Key: $(uuidgen)" \\
  -d '{"change": {"kind": "PercentageOfActors", "value": "25"}, "reason": "first step"}'
```

## What holds everywhere

**Changes.** Each is a command and obeys [policies](policies.md) and roles; `POST /commands` takes any command, the other
routes build the same ones. The answer is its outcome: `ok`, `text` for people, `data` for programs, `next`. `?dry_run=true`
does it, answers, and takes it back.

**Once.** A change with an `Idempotency-Key` is carried out once. A repeat with the same key and the same command within 24
hours gets the first answer, with `Idempotency-Replayed: true`; with another command it is a 422. Of two at the same time one
waits for the other. A key belongs to whoever asks. What failed has left no key, and what is answered with a secret
(accounts, invitations, tokens) takes none. `POST /telemetry` is a sum and takes none either.

**What was seen.** A flag in an environment, a rollout and a snapshot have an `ETag`. With `If-None-Match` a `GET` answers 304
when nothing is new. With `If-Match` a change is made only to what was seen: else nothing is done, and the 412 says who
has changed it last. The tag of a rollout is its revision and a digest of what its guards read; `If-Match` looks at the
revision only, because guards read all the time.

**Lists** come in pages: `?limit=` (1 to 1,000, usually 200), and `Link: <…>; rel="next"` while there is more. The order is
stable: names ascending, numbers descending. `?after=` is the last name or number seen.

**What goes wrong** is `application/problem+json` with `type`, `title`, `status`, `detail`, `code` for programs, `hint` for what
to do, and for an issue or a file the `problems` line by line. 405 has `Allow`.

**Requests have names.** `X-Request-Id` is taken over, or made, and stands in the answer and in the server's log.
`HEAD` answers as `GET` does.
"""


def page() -> str:
    """Return the page."""
    api = described_api(*cast("Any", (None, None, None)))
    document = api.openapi()
    parts = [HEAD]
    for tag, routes in _by_tag(document).items():
        parts.append(f"## {tag.capitalize()}\n\n" + "\n".join(routes))
    parts += [_commands(document), _problems()]
    return "\n".join(part.rstrip() + "\n" for part in parts)


def _by_tag(document: dict[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                tag = next(iter(item[method].get("tags", ["streams"])))
                found.setdefault(tag, []).append(_route(method, path, item[method], document))
    return found


def _route(method: str, path: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    lines = [f"- **`{method.upper()} {path}`**: {operation['summary'].rstrip('.')}."]
    query = [
        each["name"]
        for each in operation.get("parameters", ())
        if each["in"] == "query" and each["name"] not in USUAL
    ]
    if query:
        lines.append(f"  Query: {_names(query)}.")
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = body.get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    if name:
        schema = document["components"]["schemas"][name]
    if fields := list(_fields(schema)):
        lines.append(f"  Body: {', '.join(fields)}.")
    headers = [
        _title(each["name"]) for each in operation.get("parameters", ()) if each["in"] == "header"
    ]
    if headers:
        lines.append(f"  Takes {_names(headers)}.")
    return "\n".join(lines)


def _title(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


def _names(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _fields(schema: dict[str, Any]) -> Iterator[str]:
    needed = schema.get("required", ())
    for name in schema.get("properties", {}):
        yield f"`{name}`" + (" (needed)" if name in needed else "")


def _commands(document: dict[str, Any]) -> str:
    schemas = document["components"]["schemas"]
    lines = [
        "## Commands",
        "",
        "For `POST /commands`, by `kind`.",
        "",
        "| `kind` | Does | Fields |",
    ]
    lines.append("|---|---|---|")
    for name in schemas["Command"]["discriminator"]["mapping"]:
        schema = schemas[name]
        fields = [each for each in _fields(schema) if not each.startswith("`kind`")]
        about = schema["description"].partition("\n\n")[0].replace("\n", " ")
        lines.append(f"| `{name}` | {about} | {', '.join(fields)} |")
    lines += ["", "A `change` is one of:", "", "| `kind` | Does | Fields |", "|---|---|---|"]
    for name in schemas["GateChange"]["discriminator"]["mapping"]:
        schema = schemas[name]
        fields = [each for each in _fields(schema) if not each.startswith("`kind`")]
        about = schema["description"].partition("\n\n")[0].replace("\n", " ")
        lines.append(f"| `{name}` | {about} | {', '.join(fields)} |")
    return "\n".join(lines)


def _problems() -> str:
    lines = ["## Problems", "", "| Status | `code` | Title |", "|---|---|---|"]
    rows = [(status, kind.code) for kind, status in STATUSES.items()]
    rows += [(401, "unauthorized"), (404, "not_found"), (405, "method"), (406, "not_acceptable")]
    rows += [(413, "too_large"), (415, "not_json"), (500, "fault")]
    for status, code in sorted(set(rows)):
        lines.append(f"| {status} | `{code}` | {TITLES[status]} |")
    return "\n".join(lines)


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(page() != PAGE.read_text())
    PAGE.write_text(page())
