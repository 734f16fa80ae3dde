"""What does each route want? Written down by hand: a route that is not here fails the test.

`{environment}` in an address and in a body is the environment that the request is about.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlencode

ANYBODY, ANY_ROLE = "anybody", "any role"
RANKS = ("application", "viewer", "operator", "maintainer", "admin")
HERE, SOMEWHERE, EVERYWHERE = "here", "somewhere", "everywhere"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
COMMAND = {
    "kind": "SetFlag",
    "flag": "new_navigation",
    "environments": ["{environment}"],
    "change": {"kind": "Boolean", "value": True},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a request wants.

    Attributes:
        role: the least role, `ANYBODY` for a door that stands open, `ANY_ROLE` for one behind which
            everybody may be who is known.
        where: in which environments.
        door: who asks who is there: the pages a session, programs a token.
        address: an example of the address; empty is the route's own.
    """

    role: str
    where: Literal["here", "somewhere", "everywhere"] = HERE
    door: Literal["token", "page", "seal"] = "token"
    address: str = ""
    form: dict[str, str] = field(default_factory=dict)
    body: object = None
    raw: bytes = b""

    def payload(self, environment: str) -> tuple[bytes, str]:
        """Return the body and its type."""
        if self.raw:
            return self.raw, FORM
        if self.form:
            found = {k: v.replace("{environment}", environment) for k, v in self.form.items()}
            return urlencode(found).encode(), FORM
        if self.body is None:
            return b"", JSON
        return json.dumps(self.body).replace("{environment}", environment).encode(), JSON


def page(role: str, where: str = SOMEWHERE, **more: object) -> Wanted:
    return Wanted(role=role, where=where, door="page", **more)  # type: ignore[arg-type]


SEEN = Wanted(role="viewer", where=SOMEWHERE)
READ = Wanted(role="application")
REPORTED = Wanted(role="application", body={"appName": "shop", "instanceId": "1"})
CHANGED = Wanted(role="operator")
OPEN = page(ANYBODY)
FLAG = "/new_navigation"
REASON = {"reason": "because"}
DECIDED = page("operator", HERE, form=REASON)
GITLAB = "/api/v4/feature_flags/unleash/{project_id}"
FEATURES = "/flipper/api/features"
PLACE = "/api/v1/flags/{name}/environments/{environment}"

ROUTES: dict[tuple[str, str], Wanted] = {
    ("GET", "/healthz"): OPEN,
    ("GET", "/metrics"): OPEN,  # to this machine, while nobody else can reach the server
    ("GET", "/readyz"): OPEN,
    ("GET", "/static"): page(ANYBODY, address="/static/flagstaff.css"),
    # Our own API.
    ("GET", "/api/v1/openapi.json"): Wanted(role=ANYBODY),
    ("POST", "/api/v1/commands"): Wanted(role="operator", body=COMMAND),
    ("GET", "/api/v1/audit"): SEEN,
    ("GET", "/api/v1/rollouts"): SEEN,
    ("GET", "/api/v1/rollouts/{number}"): SEEN,
    ("GET", "/api/v1/rollouts/{number}/issue"): SEEN,
    ("GET", "/api/v1/rollouts/{number}/evidence"): SEEN,
    ("GET", "/api/v1/rollouts/{number}/plan"): SEEN,
    ("PUT", "/api/v1/rollouts/{number}/plan"): Wanted(
        role="operator", body={"plan": "steps: []", **REASON}
    ),
    ("GET", "/api/v1/plans/templates"): SEEN,
    ("POST", "/api/v1/plans"): Wanted(
        role="operator", where=SOMEWHERE, body={"flag": "new_navigation", "template": "none"}
    ),
    ("GET", "/api/v1/flags"): SEEN,
    ("GET", "/api/v1/flags/{name}"): SEEN,
    ("GET", "/api/v1/stale-flags"): SEEN,
    ("GET", "/api/v1/environments/{environment}/snapshot"): READ,
    ("GET", "/api/v1/environments/{environment}/stream"): READ,
    ("POST", "/api/v1/telemetry"): Wanted(
        role="application", body={"instance": "1", "environment": "{environment}"}
    ),
    ("POST", "/api/v1/telemetry/batch"): Wanted(
        role="application", body={"reports": [{"instance": "1", "environment": "{environment}"}]}
    ),
    ("GET", "/api/v1/workers"): SEEN,
    ("GET", "/api/v1/events"): SEEN,
    ("GET", "/api/v1/audit/export"): SEEN,
    ("GET", "/api/v1/audit/verification"): SEEN,
    ("GET", "/api/v1/audit/{entry}"): SEEN,
    ("POST", "/api/v1/audit/{entry}/undo"): Wanted(role="viewer", where=SOMEWHERE, body={}),
    ("GET", "/api/v1/deployments"): SEEN,
    ("POST", "/api/v1/deployments"): Wanted(
        role="operator", body={"environment": "{environment}", "sha": "HEAD"}
    ),
    ("GET", "/api/v1/environments"): SEEN,
    ("GET", PLACE): Wanted(role="viewer"),
    ("DELETE", f"{PLACE}/gates"): CHANGED,
    ("PUT", f"{PLACE}/gates"): Wanted(role="operator", body={"change": COMMAND["change"]}),
    ("POST", "/api/v1/flags/{name}/evaluate"): Wanted(
        role="viewer", body={"environments": ["{environment}"], "actor": "User:1"}
    ),
    **{
        ("POST", f"/api/v1/rollouts/{{number}}/{verb}"): Wanted(role="operator", body=REASON)
        for verb in ["abort", "approve", "pause", "promote", "reject", "resume", "retry", "skip"]
    },
    ("POST", "/api/v1/rollouts/{number}/start"): Wanted(role="operator", body={}),
    # GitLab's.
    ("GET", "/api/v4/features"): Wanted(role="viewer"),
    ("GET", "/api/v4/features/definitions"): SEEN,
    ("POST", "/api/v4/features/{name:path}"): Wanted(
        role="operator", address=f"/api/v4/features{FLAG}", form={"value": "true"}
    ),
    ("DELETE", "/api/v4/features/{name:path}"): CHANGED,
    # OpenFeature's.
    ("POST", "/ofrep/v1/evaluate/flags"): READ,
    ("POST", "/ofrep/v1/evaluate/flags/{key:path}"): READ,
    ("GET", "/ofrep/v1/events"): Wanted(
        role=ANYBODY, door="seal", address="/ofrep/v1/events?environment={environment}"
    ),
    # Unleash's.
    ("GET", "/api/client/features"): READ,
    ("GET", "/api/client/features/{name}"): READ,
    ("POST", "/api/client/register"): REPORTED,
    ("POST", "/api/client/metrics"): REPORTED,
    ("GET", "/api/frontend"): READ,
    ("POST", "/api/frontend"): Wanted(role="application", body={}),
    ("POST", "/api/frontend/client/register"): REPORTED,
    ("POST", "/api/frontend/client/metrics"): REPORTED,
    # Unleash's as GitLab has it.
    ("GET", GITLAB): Wanted(role=ANY_ROLE),
    ("GET", f"{GITLAB}/features"): READ,
    ("GET", f"{GITLAB}/client/features"): READ,
    ("POST", f"{GITLAB}/client/register"): REPORTED,
    ("POST", f"{GITLAB}/client/metrics"): REPORTED,
    # Flipper's.
    ("GET", FEATURES): READ,
    ("POST", FEATURES): Wanted(role="application", body={"name": "new_navigation"}),
    ("GET", f"{FEATURES}/{{name:path}}"): READ,
    ("DELETE", f"{FEATURES}/{{name:path}}"): CHANGED,
    ("DELETE", f"{FEATURES}/{{name:path}}/clear"): CHANGED,
    ("POST", f"{FEATURES}/{{name:path}}/{{gate}}"): Wanted(role="operator", body={}),
    ("DELETE", f"{FEATURES}/{{name:path}}/{{gate}}"): CHANGED,
    ("GET", "/flipper/api/actors/{identity:path}"): READ,
    ("POST", "/flipper/api/import"): Wanted(
        role="operator",
        body={"version": 1, "features": {"new_navigation": {"boolean": "true"}}},
    ),
    # The pages.
    ("GET", "/"): page("viewer"),
    ("GET", "/events"): page("viewer"),
    # What a forge sends is signed by it; tests/integration/forges has who is refused.
    ("POST", "/forges/{name}"): page(ANYBODY, address="/forges/none", raw=b"{}"),
    ("GET", "/rollouts"): page("viewer"),
    ("GET", "/rollouts/new"): page("viewer"),
    ("POST", "/rollouts/new"): page("operator", form={"do": "preview", "issue": "- [ ] nothing"}),
    ("GET", "/rollouts/new/plan"): page("viewer"),
    ("POST", "/rollouts/new/plan"): page(
        "operator", form={"do": "preview", "flag": "new_navigation"}
    ),
    ("GET", "/rollouts/{number:int}"): page("viewer"),
    ("GET", "/rollouts/{number:int}/plan"): page("viewer"),
    ("POST", "/rollouts/{number:int}/plan"): page(
        "operator", HERE, form={"do": "apply", "plan": "{}", **REASON}
    ),
    ("GET", "/rollouts/{number:int}/issue"): page("viewer"),
    ("GET", "/rollouts/{number:int}/chart"): page("viewer"),
    ("GET", "/rollouts/{number:int}/evidence"): page("viewer"),
    ("GET", "/rollouts/{number:int}/abort"): page("viewer"),
    ("POST", "/rollouts/{number:int}/abort"): DECIDED,
    ("POST", "/rollouts/{number:int}/{verb}"): DECIDED,
    ("GET", "/flags"): page("viewer"),
    ("POST", "/flags"): page(
        "operator",
        HERE,
        form={
            "flag": "new_navigation",
            "environment": "{environment}",
            "how": "everyone",
            "value": "true",
            "reason": "",
        },
    ),
    ("GET", "/flags/{name}"): page("viewer"),
    ("GET", "/flags/{name}/answers"): page("viewer"),
    ("POST", "/flags/{name}"): page(
        "operator",
        HERE,
        form={"environment": "{environment}", "how": "everyone", "value": "true", "reason": ""},
    ),
    ("POST", "/flags/{name}/undo"): page("viewer", form={"entry": "999", **REASON}),
    ("GET", "/audit"): page("viewer"),
    ("GET", "/releases"): page("viewer"),
    ("GET", "/clean-up"): page("viewer"),
    ("GET", "/clean-up/{name}"): page("viewer", address=f"/clean-up{FLAG}"),
    ("GET", "/clean-up/{name}/patch"): page("viewer", address=f"/clean-up{FLAG}/patch"),
    ("GET", "/command"): page("viewer"),
    ("POST", "/command"): page(
        "operator", HERE, form={"line": "feature set new_navigation true --{environment}"}
    ),
    ("GET", "/command/completions"): page("viewer"),
    ("GET", "/workers"): page("viewer"),
    ("POST", "/workers"): page(
        "operator",
        HERE,
        form={"task": "shop.notify", "environment": "{environment}", "do": "defer", **REASON},
    ),
    ("GET", "/audit/export"): page("viewer"),
    ("GET", "/link/{code}"): page("viewer", address="/link/nonsense"),
    ("POST", "/link/{code}"): page("viewer", address="/link/nonsense"),
    ("GET", "/settings"): page("viewer"),
    ("POST", "/settings/password"): page("viewer", form={"old": "x", "new": "y", "again": "z"}),
    ("POST", "/settings/sign-out-everywhere"): page(ANY_ROLE),
    ("POST", "/settings/{verb}"): page(
        "admin", EVERYWHERE, address="/settings/invite", form={"name": "nobody"}
    ),
    ("GET", "/sign-in"): OPEN,
    ("POST", "/sign-in"): page(ANYBODY, raw=b"\xff"),
    ("GET", "/sign-in/with"): OPEN,
    ("GET", "/sign-in/back"): OPEN,
    ("POST", "/sign-out"): OPEN,
    ("GET", "/setup/{secret}"): OPEN,
    ("POST", "/setup/{secret}"): page(ANYBODY, form={"password": "x", "again": "x"}),
}

EXAMPLES = {
    "{name:path}": "new_navigation",
    "{name}": "new_navigation",
    "{key:path}": "new_navigation",
    "{gate}": "boolean",
    "{identity:path}": "User:1",
    "{project_id}": "42",
    "{verb}": "start",
    "{entry}": "999",
    "{secret}": "never-made",
    "{number:int}": "{number}",
}
