"""Which flags does an address ask for, and how does a page say so?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final
from urllib.parse import urlencode

from flagstaff.services.flag_search import EVERYWHERE, NEVER, NOBODY, FlagSearch, Sort, Stands

AGES: Final = {
    "under-7d": "under a week",
    "under-30d": "under 30 days",
    "over-30d": "over 30 days",
    "over-90d": "over 90 days",
    "over-180d": "over 180 days",
    "over-365d": "over a year",
}
SEEN: Final = {
    "under-1d": "within a day",
    "under-7d": "within a week",
    "over-7d": "not for a week",
    "over-30d": "not for 30 days",
    "over-90d": "not for 90 days",
    NEVER: "never",
}
STATES: Final = {
    Stands.ON: "on",
    Stands.CONDITIONAL: "on for some",
    Stands.OFF: "off",
    Stands.SET: "set by somebody",
    Stands.UNSET: "not set",
}
NOT_A_FILTER: Final = "sort"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One thing that the flags were chosen by, and the address without it."""

    words: str
    without: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagFilter:
    """What an address asks for; `stale` is whether it asks for the flags that should go."""

    search: FlagSearch
    stale: bool = False

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> FlagFilter:
        """Return what the words behind the question mark ask for."""
        words = {name: asked.get(name, "").strip() for name in asdict(FlagSearch())}
        words["sort"] = words["sort"] or Sort.NAME
        if place := asked.get("set", "").strip():  # short for what is set in one environment
            words |= {"environment": place, "state": Stands.SET}
        if words["environment"] and not words["state"]:
            words["state"] = Stands.SET
        return cls(search=FlagSearch(**words), stale="stale" in asked)

    def plain(self) -> FlagFilter:
        """Return what asks for all flags."""
        return FlagFilter(search=FlagSearch(sort=self.search.sort), stale=self.stale)

    @property
    def chosen(self) -> bool:
        """Return whether it asks for less than all flags."""
        return bool(self._words().keys() - {NOT_A_FILTER})

    def query(self, *, after: str = "") -> str:
        """Return the words of an address that asks for the same, for what comes `after` a flag."""
        stale = {"stale": "1"} if self.stale else {}
        return urlencode({**({"after": after} if after else {}), **stale, **self._words()})

    def address(self, *, after: str = "") -> str:
        """Return the address of the page that shows it."""
        query = self.query(after=after)
        return f"/flags?{query}" if query else "/flags"

    def chips(self) -> list[Chip]:
        """Return in words what the flags are chosen by."""
        search = self.search
        said = {
            "match": f"“{search.match}” in the name",
            "type": search.type,
            "owner": "without owner" if search.owner == NOBODY else f"of {search.owner}",
            "age": f"age {AGES.get(search.age, search.age)}",
            "seen": f"asked for {SEEN.get(search.seen, search.seen)}",
            "state": _where(search),
        }
        return [
            Chip(words=words, without=self._without(name))
            for name, words in said.items()
            if getattr(search, name)
        ]

    def sorted_by(self, name: str) -> str:
        """Return the address that sorts by this; where it does already, the other way round."""
        other = f"-{name}" if self.search.sort == name else name
        return replace(self, search=replace(self.search, sort=other)).address()

    def direction(self, name: str) -> str:
        """Return `ascending` or `descending` where it sorts by this, else nothing.

        A flag that is older, or was asked for longer ago, has the larger number.
        """
        if self.search.sort.removeprefix("-") != name:
            return ""
        back = self.search.sort.startswith("-")
        return "ascending" if back is (name in {Sort.AGE, Sort.SEEN}) else "descending"

    def unstale(self) -> FlagFilter:
        """Return the same for all flags, those that may stay among them."""
        return replace(self, stale=False)

    def only_stale(self) -> FlagFilter:
        """Return the same for the flags that should go."""
        return replace(self, stale=True)

    def _words(self) -> dict[str, str]:
        plain = asdict(FlagSearch())
        return {name: text for name, text in asdict(self.search).items() if text != plain[name]}

    def _without(self, name: str) -> str:
        less = {name: "", **({"environment": ""} if name == "state" else {})}
        return replace(self, search=replace(self.search, **less)).address()


def _where(search: FlagSearch) -> str:
    known = {each.value: words for each, words in STATES.items()}
    state = known.get(search.state, search.state)
    if search.environment:
        return f"{state} in {search.environment}"
    return f"{state} everywhere" if search.state in EVERYWHERE else f"{state} somewhere"
