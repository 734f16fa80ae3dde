"""Which boxes have people filled, each with all that it says, and how is one opened again?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import groupby

from flagstaff.issues.answers import BoxAnswer, Said, box_answers
from flagstaff.issues.lines import anchor_of, split_lines
from flagstaff.issues.marks import opened
from flagstaff.rollouts.rollout import Rollout

WORDS = frozenset({Said.APPROVED, Said.SKIPPED})
"""What is somebody's word, so that it matters who they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledBox:
    """A box that somebody has filled: `item` is its text, `answers` what it says of each step."""

    item: str
    answers: tuple[BoxAnswer, ...]

    @property
    def said(self) -> frozenset[Said]:
        """Return all that it says."""
        return frozenset(each.said for each in self.answers)

    @property
    def is_word(self) -> bool:
        """Return whether it is a person's word about a step."""
        return not WORDS.isdisjoint(self.said)


def filled_boxes(text: str, rollout: Rollout) -> tuple[FilledBox, ...]:
    """Return the boxes by which people say what the rollout has not heard yet."""
    lines = split_lines(text)
    return tuple(
        FilledBox(item=anchor_of(lines[line - 1].text), answers=tuple(together))
        for line, together in groupby(box_answers(text, rollout), key=lambda each: each.line)
    )


def with_open_boxes(text: str, numbers: Collection[int]) -> str:
    """Return the text with the boxes in these lines empty, and nothing else changed."""
    lines = (
        replace(line, text=opened(line.text)) if line.number in numbers else line
        for line in split_lines(text)
    )
    return "".join(line.text + line.ending for line in lines)
