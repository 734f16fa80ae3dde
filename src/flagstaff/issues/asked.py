"""Did somebody choose or answer what the issue does not ask?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from flagstaff.errors import UsageError
from flagstaff.issues.alternatives import Choice
from flagstaff.issues.placeholders import FLAG, left_in, normal
from flagstaff.issues.setting import Setting

Ways = Mapping[int, Sequence[str]]


def check_choices(setting: Setting, ways: Sequence[Choice], ramps: Ways) -> None:
    """Note a problem for each choice where there is none: a slip of a line would go unnoticed."""
    offered = {way.line: tuple(option.name for option in way.options) for way in ways}
    offered |= {line: tuple(names) for line, names in ramps.items()}
    lines = {*offered, *(option.line for way in ways for option in way.options)}
    names = {name for each in offered.values() for name in each}
    listed = "; ".join(f"line {at}: {', '.join(offered[at])}" for at in sorted(offered))
    remedy = f"these do: {listed}" if listed else "leave it out: no box of this issue does"
    for key, way in setting.choices.items():
        if key == way and key not in names:
            setting.problem(0, f"`--choose {way}`: no box offers this way", remedy)
        elif key != way and not (key.isdecimal() and int(key) in lines):
            what = f"`--choose {key}={way}`: no box at line {key} offers several ways"
            setting.problem(0, what, remedy)


def check_answers(text: str, answers: Mapping[str, str], *, besides: Collection[str] = ()) -> None:
    """Refuse answers to placeholders that are not there, `besides` some that are used elsewhere.

    Raises:
        UsageError: naming those that are.
    """
    there = left_in(text)
    known = {normal(name) for name in (*there, *besides)} | FLAG
    for name in answers:
        if normal(name) not in known:
            listed = ", ".join(f"<{each}>" for each in there)
            raise UsageError(
                f"`--set {name}=…`: there is no <{name}> in the issue",
                hint=f"there are: {listed}" if there else "leave it out: it has no placeholders",
            )
