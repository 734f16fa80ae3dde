"""May this application read here? Whoever the control plane lets read, and nobody else.

The control plane is asked with the application's own token, and its answer is kept for a while. A
token that was good stays good while the control plane is away.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.datastructures import Headers

from flagstaff.commands.roles import Role
from flagstaff.errors import Unavailable
from flagstaff.server.access import Admitting
from flagstaff.server.edge.following import Follower
from flagstaff.server.edge.remembered import Accepted, Remembered
from flagstaff.services.person import Person, Source

FRESH = 60.0
"""Seconds for which an accepted token is not asked about again."""

REFUSED = 10.0
"""Seconds for which a refused token is not asked about again."""

PATIENCE = 2.0
"""Seconds that a known token waits for the control plane before it is let in as before."""

AGAIN = 5.0
"""Seconds until it is asked again after it did not answer."""

AT_ONCE = 8
MOST_WAITING = 200
MOST_REFUSED = 10_000
LONGEST_TOKEN = 200


class Clients(Admitting):
    """Lets applications in; lives in the event loop.

    Args:
        followers: by environment, in order.
        remembered: what was accepted before.
        secret: what edges that stand beside each other have in common.
    """

    def __init__(
        self, followers: Mapping[str, Follower], remembered: Remembered, secret: str
    ) -> None:
        self._followers = followers
        self._remembered = remembered
        self._secret = b"edge " + secret.encode()
        self._refused: OrderedDict[str, float] = OrderedDict()
        self._ask_after: dict[str, float] = {}
        self._asking: dict[str, asyncio.Task[Accepted | None]] = {}
        # Strangers may keep the control plane busy with guesses; that must not hold up the others.
        self._known_limit, self._new_limit = CapacityLimiter(AT_ONCE), CapacityLimiter(AT_ONCE)

    async def person(self, headers: Headers, tokens: Iterable[str]) -> Person | None:
        """Return the application that shows a good token, `None` when none is good.

        Raises:
            Unavailable: a token is not known, and the control plane does not answer.
        """
        del headers
        shown = [each for each in tokens if _possible(each)]
        keys = {each: self._remembered.hashed(each) for each in shown}
        # Some protocols show one token in several places: those known are not guessed about.
        shown.sort(key=lambda each: self._remembered.get(keys[each]) is None)
        unsure: Unavailable | None = None
        for token in shown:
            try:
                found = await self._accepted(token, keys[token])
            except Unavailable as exc:
                unsure = exc
                continue
            if found is not None:
                roles = dict.fromkeys(found.environments, Role.APPLICATION)
                return Person(name="an application", source=Source.API, roles=roles)
        if unsure is not None:
            raise unsure
        return None

    def seal(self, words: str) -> str:
        """Return what only those can show for `words` to whom an edge with our token gave it."""
        return hmac.new(self._secret, words.encode(), "sha256").hexdigest()

    async def _accepted(self, token: str, key: str) -> Accepted | None:
        known, now = self._remembered.get(key), time.monotonic()
        if known is not None:
            if _fresh(known):
                return known
            if key not in self._ask_after:
                return await self._confirmed(token, key, known)
            if now > self._ask_after[key]:  # nobody waits again for one who does not answer
                self._ask_after[key] = now + AGAIN
                self._ask(token, key)
            return known
        if now < self._refused.get(key, 0.0):
            return None
        if len(self._asking) >= MOST_WAITING:
            raise Unavailable("too many unknown tokens are being asked about", hint="retry later")
        return await asyncio.shield(self._ask(token, key))

    async def _confirmed(self, token: str, key: str, known: Accepted) -> Accepted | None:
        """Return what the control plane says of a known token, or what it said last."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.shield(self._ask(token, key))
        except (TimeoutError, Unavailable):
            if len(self._ask_after) > MOST_REFUSED:
                self._ask_after.clear()
            self._ask_after[key] = time.monotonic() + AGAIN
            return known

    def _ask(self, token: str, key: str) -> asyncio.Task[Accepted | None]:
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.ensure_future(self._asked(token, key))
            task.add_done_callback(lambda done: self._over(key, done))
        return task

    def _over(self, key: str, task: asyncio.Task[Accepted | None]) -> None:
        self._asking.pop(key, None)
        if not task.cancelled():
            task.exception()  # nobody may be left to hear it

    async def _asked(self, token: str, key: str) -> Accepted | None:
        known = self._remembered.get(key)
        limiter = self._new_limit if known is None else self._known_limit
        answers = [
            await run_sync(_answer, follower, token, limiter=limiter)
            for follower in self._followers.values()
        ]
        if all(isinstance(each, Unavailable) for each in answers):
            raise Unavailable(
                "whether the token is good cannot be told at the moment",
                hint="this edge does not reach its control plane, and has not seen the token yet",
            )
        before = known.environments if known else frozenset()
        named = dict(zip(self._followers, answers, strict=True))
        good = {name for name, each in named.items() if each is True}
        good |= {name for name in before if isinstance(named.get(name), Unavailable)}
        if good:
            self._ask_after.pop(key, None)
            await run_sync(self._remembered.accept, key, good)
            return self._remembered.get(key)
        self._refused[key] = time.monotonic() + REFUSED
        self._refused.move_to_end(key)
        while len(self._refused) > MOST_REFUSED:
            self._refused.popitem(last=False)
        await run_sync(self._remembered.refuse, key)
        return None


class Everyone(Admitting):
    """Lets everyone read some environments, without a token.

    Args:
        environments: which.
    """

    def __init__(self, environments: Iterable[str]) -> None:
        roles = dict.fromkeys(environments, Role.APPLICATION)
        self._person = Person(name="anybody", source=Source.API, roles=roles)

    async def person(self, headers: Headers, tokens: Iterable[str]) -> Person:
        """Return anybody."""
        del headers, tokens
        return self._person

    def seal(self, words: str) -> str:
        """Return nothing: no stream is open to everyone."""
        del words
        return ""


def _answer(follower: Follower, token: str) -> bool | Unavailable:
    try:
        return follower.accepts(token)
    except Unavailable as exc:
        return exc


def _fresh(known: Accepted) -> bool:
    return 0 <= time.time() - known.at < FRESH


def _possible(token: str) -> bool:
    return 0 < len(token) <= LONGEST_TOKEN and token.isascii() and token.isprintable()
