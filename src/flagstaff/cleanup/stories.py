"""Is a whole test about the other answer, or does it look at something else as well?"""

# ruff: noqa: D102, N802  the names which LibCST gives to the methods of visitors

from __future__ import annotations

from enum import Enum

import libcst as cst
from libcst import matchers

from flagstaff.cleanup.answers import Question, last_name
from flagstaff.cleanup.asking import sets_flag
from flagstaff.cleanup.contained import looks
from flagstaff.cleanup.owners import chain_of, holds_settings
from flagstaff.cleanup.pins import pin_of, pinned_by, set_up


class Event(Enum):
    """What a step of a test does."""

    LOSE = "gives the flag the answer that goes"
    STAY = "gives the flag the answer that stays"
    ARRANGE = "gives another flag a state"
    LOOK = "looks at what came of it"


class Story(cst.CSTVisitor):
    """What happens in a test, in order."""

    def __init__(self, question: Question, *, overridden: bool = True) -> None:
        super().__init__()
        self._question = question
        self._overridden = overridden
        self.events: list[Event] = []
        self.looks: list[frozenset[str]] = []
        self.made_while_pinned: frozenset[str] = frozenset()

    @property
    def is_of_the_other_answer(self) -> bool:
        """Tell whether all that is looked at comes of the answer that goes."""
        if Event.LOSE not in self.events or Event.STAY in self.events:
            return False
        first = self.events.index(Event.LOSE)
        looks = [i for i, event in enumerate(self.events) if event is Event.LOOK]
        arranged = [i for i, event in enumerate(self.events) if event is Event.ARRANGE]
        return all(look > first for look in looks) and not any(
            place > min(looks, default=place) for place in arranged
        )

    def visit_With(self, node: cst.With) -> bool:
        losing = not self._question.keep
        pins = [pin_of(self._question, item.item) for item in node.items]
        if self._overridden or not any(pin and pin.state is losing for pin in pins):
            return True
        self.made_while_pinned |= _bound(node.body)
        return False

    def visit_Assert(self, node: cst.Assert) -> None:
        self._look(node)

    def visit_Call(self, node: cst.Call) -> None:
        names = chain_of(node.func)
        state = set_up(self._question, node)
        if state is not None:
            self._given(state)
        elif sets_flag(names) or last_name(node.func) in self._question.conventions.overrides:
            self.events.append(Event.ARRANGE)
        elif looks(node):
            self._look(node)

    def visit_Assign(self, node: cst.Assign) -> None:
        state = pinned_by(self._question, node)
        if state is not None:
            self._given(state)
        for target in (each.target for each in node.targets):
            if not isinstance(target, cst.Attribute | cst.Subscript):
                continue
            if not self._question.setting(target) and holds_settings(
                target.value, self._question.flag
            ):
                self.events.append(Event.ARRANGE)

    def _look(self, node: cst.CSTNode) -> None:
        self.events.append(Event.LOOK)
        self.looks.append(_read(node))

    def _given(self, state: bool) -> None:  # noqa: FBT001
        self.events.append(Event.STAY if state is self._question.keep else Event.LOSE)


def _bound(node: cst.CSTNode) -> frozenset[str]:
    found = matchers.findall(node, matchers.AssignTarget() | matchers.AsName())
    return frozenset().union(*(_read(each) for each in found))


def _read(node: cst.CSTNode) -> frozenset[str]:
    found = matchers.findall(node, matchers.Name())
    return frozenset(each.value for each in found if isinstance(each, cst.Name))
