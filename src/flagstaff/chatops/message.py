"""What was written in chat, and what is answered?"""

from __future__ import annotations

from dataclasses import dataclass

from flagstaff.services.chat_linking import ChatUser


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One line meant for us; `channel` is its name with `#`, empty where it has none."""

    user: ChatUser
    channel: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer.

    Attributes:
        private: only whoever asked may see it.
        ok: whether what was asked for was done.
    """

    text: str
    private: bool = True
    ok: bool = False
