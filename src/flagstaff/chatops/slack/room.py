"""How does a rollout's thread look in Slack?"""

from __future__ import annotations

from dataclasses import dataclass

from flagstaff.chatops.headline import headline
from flagstaff.chatops.room import Parts, Posted
from flagstaff.chatops.slack.blocks import MARKUP, question, rollout_blocks
from flagstaff.integrations.notify.slack import Slack, escaped
from flagstaff.services.views import RolloutView, StepView


@dataclass(frozen=True, slots=True)
class SlackRoom:
    """Shows rollouts in Slack."""

    slack: Slack

    def escaped(self, text: str) -> str:
        """Return a text that notifies nobody."""
        return escaped(text)

    def headline(self, view: RolloutView, address: str) -> tuple[str, Parts]:
        """Return how the first message of a rollout's thread reads."""
        return headline(view, MARKUP), rollout_blocks(view, address)

    def question(self, view: RolloutView, step: StepView) -> tuple[str, Parts]:
        """Return what is asked in the thread, with the buttons to answer."""
        return question(view, step)

    def show_once(
        self, key: str, channel: str, text: str, parts: Parts = (), *, thread: str = ""
    ) -> Posted:
        """Post a message unless the one with this key is there; return where it is."""
        blocks = [dict(each) for each in parts]
        return self.slack.post_once(key, channel, text, blocks=blocks, thread=thread)

    def show(self, key: str, text: str, parts: Parts = ()) -> None:
        """Let the message with this key read like this; if it does already, nothing is sent."""
        self.slack.keep(key, text, [dict(each) for each in parts])
