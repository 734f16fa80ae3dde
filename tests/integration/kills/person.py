"""What does a careful person do who runs many rollouts on servers that come and go?"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field

from kills.scripts import Script

AFTER = {"approve": "waiting", "reject": "waiting", "skip": "waiting", "abort": "waiting"} | {
    "pause": "running",
    "promote": "running",
    "resume": "paused",
    "retry": "paused",
}
"""In which phase a rollout has to be for the verb to be the next."""

UNSURE = {502, 503, 504}


@dataclass
class Case:
    """One script under way."""

    script: Script
    number: int = 0
    said: dict[str, int] = field(default_factory=dict)
    begun: float = 0.0
    over: float = 0.0

    def next_verb(self, title):
        verbs = self.script.answers.get(title, ())
        at = self.said.get(title, 0)
        return verbs[at] if at < len(verbs) else ""


class Stuck(AssertionError):
    """No rollout ended for too long."""


class Person:
    """Runs every script to its end, some at a time.

    What was not answered is asked again under the same key, as the API's reference advises.

    Args:
        servers: any of them will do.
        scripts: in this order.
        heard: returns whether a text has arrived outside; nobody aborts before they have read
            what there is to abort.
        at_once: how many rollouts are under way together.
    """

    def __init__(self, servers, scripts, heard, *, at_once=16):
        self._servers = servers
        self._turn = itertools.cycle(range(len(servers)))
        self._heard = heard
        self._at_once = at_once
        self.cases = [Case(each) for each in scripts]
        self.surprises = []

    def run(self, patience):
        """Return when every rollout is over.

        Raises:
            Stuck: some are not, after so many seconds without any that ended.
        """
        waiting, active, moved = list(self.cases), [], time.monotonic()
        while waiting or active:
            while waiting and len(active) < self._at_once:
                active.append(self._begin(waiting.pop(0)))
                moved = time.monotonic()
            asked = time.monotonic()
            status, found = self.ask("/rollouts?active=true&limit=1000")
            asking = time.monotonic() - asked
            if status != 200:
                continue
            there = {each["id"]: each for each in found}
            for case in tuple(active):
                if case.number in there:
                    self._look(case, there[case.number])
                    continue
                case.over = moved = time.monotonic()
                active.remove(case)
            stuck = [
                (n, each["phase"], each["step"] and each["step"]["id"]) for n, each in there.items()
            ]
            if time.monotonic() - moved > patience:
                raise Stuck(f"nothing moves any more: {stuck}")
            time.sleep(max(0.05, asking))  # servers have better things to do than to answer

    def ask(self, path, body=None, key=""):
        """Return an answer that decides something, from whichever server gives it."""
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            server = self._servers[next(self._turn)]
            if server.frozen:
                continue
            try:
                status, found = server.ask(path, body, key=key)
            except (OSError, ValueError):  # killed before it had answered, or while it did
                time.sleep(0.05)
                continue
            if status not in UNSURE:
                return status, found
            time.sleep(0.05)
        raise AssertionError(f"no server answers {path}")

    def _begin(self, case):
        flag = case.script.flag
        body = {"text": case.script.issue, "start": True}
        status, found = self.ask("/rollouts", body, key=f"begin:{flag}")
        assert status == 201, found
        case.number, case.begun = found["data"]["rollout"], time.monotonic()
        return case

    def _look(self, case, rollout):
        step = rollout["step"]
        if step is None:
            return
        title = step["title"]
        verb = case.next_verb(title)
        if not verb or AFTER[verb] != rollout["phase"] or self._too_early(case, verb, step):
            return
        said = case.said.get(title, 0)
        key = f"{case.script.flag}:{step['id']}:{said}"
        body = {} if verb == "abort" else {"step": step["id"]}
        body = body if verb in {"approve", "reject", "skip"} else {}
        body["reason"] = f"{verb} {title}"
        status, found = self.ask(f"/rollouts/{case.number}/{verb}", body, key=key)
        if status != 200:
            self.surprises.append((case.script.flag, verb, title, status, found))
        case.said[title] = said + 1

    def _too_early(self, case, verb, step):
        if verb in {"pause", "promote"} and step["status"] != "active":
            return True
        return verb == "abort" and not self._heard(f"`{case.script.flag}` has been set")
