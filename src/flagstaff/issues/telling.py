"""Where is something announced, and in which words?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from flagstaff.flags.change import Boolean
from flagstaff.issues.chosen import Chosen
from flagstaff.issues.meaning import Draft, Understood
from flagstaff.issues.placeholders import Answers
from flagstaff.issues.setting import PRODUCTION, Setting
from flagstaff.issues.wording import channels_in
from flagstaff.rollouts.plan import (
    Announce,
    AskPerson,
    AwaitMerge,
    CheckReleased,
    DeleteFlag,
    OpenCleanup,
    SetGate,
)

_TEAM = re.compile(r"\byour (?:team|group)|team(?:'s)? (?:slack )?channel", re.IGNORECASE)


def announce_to(cross_post: str, answers: Answers, channels: Mapping[str, str]) -> tuple[str, ...]:
    """Return where changes in production are told.

    Args:
        cross_post: The issue's own paragraph about it, or an empty text.
        answers: What is known about placeholders, the team's channel among them.
        channels: The project's channels by what they are for.
    """
    named = _known(cross_post, answers, channels)
    usual = (channels.get("production", ""), answers.team)
    return named or tuple(dict.fromkeys(channel for channel in usual if channel))


def announcement(draft: Draft, step: Chosen, setting: Setting) -> Draft:
    """Return the step with its channels, or as a person's when no channel is known."""
    text = step.item.text
    channels = _known(text, setting.answers, setting.project.channels)
    team = setting.answers.team
    if _TEAM.search(text) and team and team not in channels:
        channels = (*channels, team)
    channels = channels or setting.announce_to
    if not channels:
        return replace(draft, action=AskPerson(), understood=Understood.PERSON)
    return replace(draft, action=Announce(channels=channels, text=""))


def _known(text: str, answers: Answers, channels: Mapping[str, str]) -> tuple[str, ...]:
    found = (channels.get(name.removeprefix("#"), name) for name in channels_in(answers.fill(text)))
    return tuple(
        dict.fromkeys(name for name in found if "<" not in name and "TEAM_NAME" not in name)
    )


def with_words(drafts: Sequence[Draft], setting: Setting) -> tuple[Draft, ...]:
    """Return the steps, each announcement with the words that are true when it is made."""
    flag = f"`{setting.flag}`"
    contact = f"; {setting.owner} answers for it" if setting.owner else ""
    words = f"The rollout of {flag} in production is about to begin{contact}."
    told = []
    for draft in drafts:
        action = draft.action
        match action:
            case Announce():
                action = replace(action, text=words or f"{flag}: {draft.title}")
            case SetGate(environments=environments, change=change) if PRODUCTION in environments:
                everyone = change == Boolean(value=True)
                words = f"{flag} is being rolled out in production{contact}."
                words = f"{flag} is now enabled for everyone in production." if everyone else words
            case OpenCleanup() | AwaitMerge() | CheckReleased() | DeleteFlag():
                words = ""
            case _:
                pass
        told.append(replace(draft, action=action))
    return tuple(told)
