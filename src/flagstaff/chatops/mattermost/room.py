"""How does a rollout's thread look in Mattermost, and which buttons and forms does it have?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flagstaff.chatops.headline import Markup, facts, headline
from flagstaff.chatops.mattermost.seal import Seal
from flagstaff.chatops.room import Parts, Posted
from flagstaff.integrations.notify.mattermost import MattermostBot, escaped
from flagstaff.services.views import RolloutView, StepView

APPROVE: Final = "approve"
REJECT: Final = "reject"
ABORT: Final = "abort"
REASON: Final = "reason"
LONGEST_REASON: Final = 500

MARKUP: Final = Markup(
    escaped, bold=lambda text: f"**{text}**", link=lambda text, url: f"[{text}]({url})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MattermostRoom:
    """Shows rollouts in Mattermost; `ours` says where buttons report to."""

    bot: MattermostBot
    seal: Seal
    ours: Callable[[], str]

    @property
    def address(self) -> str:
        """Return where buttons and forms report to."""
        return self.ours().rstrip("/")

    def escaped(self, text: str) -> str:
        """Return a text that notifies nobody."""
        return escaped(text)

    def headline(self, view: RolloutView, address: str) -> tuple[str, Parts]:
        """Return how the first message of a rollout's thread reads."""
        text = headline(view, MARKUP)
        attachment: dict[str, Any] = {"text": facts(view, MARKUP, address), "fallback": text}
        if not view.summary.phase.finished:
            abort = self._button("Abort…", ABORT, view.summary.id, style="danger")
            attachment["actions"] = [abort]
        return text, [attachment]

    def question(self, view: RolloutView, step: StepView) -> tuple[str, Parts]:
        """Return what is asked in the thread, with the buttons to answer."""
        text = f"Somebody has to say yes: {escaped(step.title)}"
        number = view.summary.id
        buttons = [
            self._button("Approve", APPROVE, number, step.id, style="primary"),
            self._button("Reject…", REJECT, number, step.id),
        ]
        return text, [{"text": escaped(step.note), "fallback": text, "actions": buttons}]

    def show_once(
        self, key: str, channel: str, text: str, parts: Parts = (), *, thread: str = ""
    ) -> Posted:
        """Post a message unless the one with this key is there; return where it is."""
        return self.bot.post_once(key, channel, text, attachments=parts, thread=thread)

    def show(self, key: str, text: str, parts: Parts = ()) -> None:
        """Let the message with this key read like this; if it does already, nothing is sent."""
        self.bot.keep(key, text, parts)

    def thread_of(self, post: str) -> str:
        """Return the first post of the thread in which a post is; answers go below that."""
        return self.bot.thread_of(post)

    def form(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Return the form that asks for the reason of a no; `told` comes back with it."""
        number = told["rollout"]
        title, verb, text = {
            REJECT: ("Reject a step", "Reject", f"Rollout {number} pauses at this step."),
            ABORT: (
                "Abort the rollout",
                "Abort",
                f"Rollout {number} ends for good, and the gates go back to what they were before.",
            ),
        }[told["action"]]
        return {
            "callback_id": told["action"],
            "title": title,
            "introduction_text": text,
            "submit_label": verb,
            "notify_on_cancel": False,
            "state": self.seal.form(told),
            "elements": [
                {
                    "display_name": "Why?",
                    "help_text": "Others will read it in the audit log.",
                    "name": REASON,
                    "type": "textarea",
                    "max_length": LONGEST_REASON,
                }
            ],
        }

    def _button(
        self, text: str, action: str, rollout: int, step: str = "", *, style: str = "default"
    ) -> dict[str, Any]:
        return {
            "id": action,  # Mattermost takes letters and digits alone
            "type": "button",
            "name": text,
            "style": style,
            "integration": {
                "url": f"{self.address}/mattermost/actions",
                "context": self.seal.button(action, rollout, step),
            },
        }
