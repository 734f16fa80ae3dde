"""How is it told what an import changes for whom?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flagstaff.cli.import_plan import Place
from flagstaff.commands.outcome import Json
from flagstaff.importers import Comparison, Export, Fate, ImportedFlag, Taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An export, what is imported of it, and what that changes."""

    export: Export
    source: str
    asked: str
    places: Sequence[Place]
    compared: Mapping[str, Sequence[Comparison]]

    @property
    def changes(self) -> float:
        """Return how many answers change, or may do so."""
        return sum(each.gain + each.lose + each.unforeseeable for each in self._all())

    @property
    def lossy(self) -> bool:
        """Return whether something is imported of which a part is lost."""
        return any(
            taken.fate in (Fate.PARTLY, Fate.LOST)
            for place in self.places
            for _, taken in place.taken
        )

    def lines(self) -> Iterator[str]:
        """Yield the report for a person, one fact a line."""
        count = len(self.export.flags)
        yield f"{self.export.system}: {_flags(count)} in {self.source}, compared for {self.asked}"
        for remark in self.export.remarks:
            yield f"note: {remark}"
        if any(taken.reads for place in self.places for _, taken in place.taken):
            yield "note: some flags look at attributes; only actors of --actors have any"
        for place in self.places:
            yield from self._place(place)
        yield self._total()

    def to_json(self) -> dict[str, Json]:
        """Return the report for programs."""
        return {
            "system": self.export.system,
            "actors": self.asked,
            "remarks": list(self.export.remarks),
            "environments": {
                place.environment: {
                    "theirs": place.theirs,
                    "flags": {
                        flag.name: _flag_json(flag, taken, each)
                        for (flag, taken), each in zip(
                            place.taken, self.compared[place.environment], strict=True
                        )
                    },
                    "left_out": [
                        {"theirs": flag.theirs, "losses": list(_losses(flag, taken))}
                        for flag, taken in place.left_out
                    ],
                }
                for place in self.places
            },
            "total": {
                "answers": sum(each.actors for each in self._all()),
                "unchanged": sum(each.unchanged for each in self._all()),
                "gain": round(sum(each.gain for each in self._all()), 1),
                "lose": round(sum(each.lose for each in self._all()), 1),
                "drawn": sum(each.drawn for each in self._all()),
                "unforeseeable": sum(each.unforeseeable for each in self._all()),
            },
        }

    def _place(self, place: Place) -> Iterator[str]:
        theirs = f" (theirs: {place.theirs})" if place.theirs else ""
        yield (
            f"{place.environment}{theirs}: {len(place.taken)} imported, "
            f"{len(place.left_out)} left out"
        )
        found = list(zip(place.taken, self.compared[place.environment], strict=True))
        same = [each for _, each in found if _alike(each)]
        yield f"  ✓ {_flags(len(same))}: nobody's answer changes"
        for (flag, taken), each in found:
            if not _alike(each):
                yield f"  ▸ {_called(flag)}: {_counts(each)}"
            if taken.fate in (Fate.PARTLY, Fate.LOST):
                yield from (f"  ? {_called(flag)}: lost: {loss}" for loss in taken.losses)
        for flag, taken_or_not in place.left_out:
            for loss in _losses(flag, taken_or_not):
                part = (
                    "partly" if taken_or_not and taken_or_not.fate is Fate.PARTLY else "not at all"
                )
                yield f"  ✗ {_called(flag)}: left out, as it fits {part}: {loss}"

    def _total(self) -> str:
        whole = list(self._all())
        told = Comparison(
            flag="",
            environment="",
            actors=sum(each.actors for each in whole),
            unchanged=sum(each.unchanged for each in whole),
            gain=round(sum(each.gain for each in whole), 1),
            lose=round(sum(each.lose for each in whole), 1),
            drawn=sum(each.drawn for each in whole),
            unforeseeable=sum(each.unforeseeable for each in whole),
        )
        return f"in all, of {told.actors:,} answers: {_counts(told)}"

    def _all(self) -> Iterator[Comparison]:
        for each in self.compared.values():
            yield from each


def _alike(each: Comparison) -> bool:
    """Return whether nobody is answered otherwise than before."""
    return each.unchanged + each.drawn == each.actors


def _counts(each: Comparison) -> str:
    gainers, losers = each.examples
    words = [f"{each.unchanged:,} unchanged"]
    if each.drawn:
        words.append(f"{each.drawn:,} drawn at every check as before")
    words += [
        f"{_number(each.gain)} would gain it{_such_as(gainers)}",
        f"{_number(each.lose)} would lose it{_such_as(losers)}",
    ]
    if each.unforeseeable:
        words.append(f"{each.unforeseeable:,} unforeseeable")
    return ", ".join(words)


def _number(number: float) -> str:
    """Return a count; an expected value says that it is one."""
    return f"{int(number):,}" if number == int(number) else f"about {number:,.0f}"


def _such_as(ids: Sequence[str]) -> str:
    return f" ({', '.join(ids)} …)" if ids else ""


def _called(flag: ImportedFlag) -> str:
    renamed = flag.name and flag.name != flag.theirs
    return f"{flag.theirs} → {flag.name}" if renamed else flag.theirs


def _losses(flag: ImportedFlag, taken: Taken | None) -> Iterator[str]:
    yield from map(str, flag.losses)
    if taken is not None:
        yield from map(str, taken.losses)


def _flag_json(flag: ImportedFlag, taken: Taken, each: Comparison) -> dict[str, Json]:
    gainers, losers = each.examples
    return {
        "theirs": flag.theirs,
        "fate": taken.fate.value,
        "losses": [str(loss) for loss in taken.losses],
        "gates": taken.gates.to_json(),  # type: ignore[dict-item]
        "unchanged": each.unchanged,
        "gain": each.gain,
        "lose": each.lose,
        "drawn": each.drawn,
        "unforeseeable": each.unforeseeable,
        "gainers": list(gainers),
        "losers": list(losers),
    }


def _flags(count: int) -> str:
    return "1 flag" if count == 1 else f"{count:,} flags"
