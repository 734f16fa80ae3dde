"""How does a rollout read in Slack, and which buttons does it have?"""

from __future__ import annotations

import json
from typing import Any, Final

from flagstaff.chatops.headline import Markup, facts, headline
from flagstaff.integrations.notify.slack import escaped
from flagstaff.services.views import RolloutView, StepView

Block = dict[str, Any]

APPROVE: Final = "rollout-approve"
REJECT: Final = "rollout-reject"
ABORT: Final = "rollout-abort"
REASON: Final = "reason"

_LONGEST = 2900
"""Slack takes 3,000 characters in one block."""
MARKUP: Final = Markup(
    escaped, bold=lambda text: f"*{text}*", link=lambda text, url: f"<{url}|{text}>"
)


def said(text: str) -> str:
    """Return an answer as Slack shows it; several lines keep their columns."""
    clean = escaped(text)
    if "\n" not in clean:
        return clean
    fenced = clean.replace("```", "'''")
    return f"```\n{fenced}\n```"


def rollout_blocks(view: RolloutView, address: str) -> list[Block]:
    """Return the first message of a rollout's thread."""
    blocks = [_section(headline(view, MARKUP)), _section(facts(view, MARKUP, address))]
    if not view.summary.phase.finished:
        blocks.append({"type": "actions", "elements": [_abort(view.summary.id)]})
    return blocks


def question(view: RolloutView, step: StepView) -> tuple[str, list[Block]]:
    """Return what is asked in the thread, with the buttons to answer."""
    text = f"Somebody has to say yes: {escaped(step.title)}"
    if step.note:
        text += f"\n{escaped(step.note)}"
    value = json.dumps({"rollout": view.summary.id, "step": step.id})
    buttons = [_button("Approve", APPROVE, value, "primary"), _button("Reject", REJECT, value)]
    return text, [_section(text), {"type": "actions", "elements": buttons}]


def form(action: str, target: Block) -> Block:
    """Return the form that asks for the reason of a no; `target` comes back with it."""
    number = target["rollout"]
    title, verb, text = {
        REJECT: ("Reject a step", "Reject", f"Rollout {number} pauses at this step."),
        ABORT: (
            "Abort the rollout",
            "Abort",
            f"Rollout {number} ends for good, and the gates go back to what they were before it.",
        ),
    }[action]
    return {
        "type": "modal",
        "callback_id": action,
        "private_metadata": json.dumps(target),
        "title": _plain(title),
        "submit": _plain(verb),
        "close": _plain("Let it go on"),
        "blocks": [
            _section(text),
            {
                "type": "input",
                "block_id": REASON,
                "label": _plain("Why? Others will read it in the audit log"),
                "element": {"type": "plain_text_input", "action_id": REASON, "max_length": 500},
            },
        ],
    }


def _abort(number: int) -> Block:
    return _button("Abort…", ABORT, json.dumps({"rollout": number}), "danger")


def _button(text: str, action: str, value: str, style: str = "") -> Block:
    styled = {"style": style} if style else {}
    return {
        "type": "button",
        "text": _plain(text),
        "action_id": action,
        "value": value,
        **styled,
    }


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:_LONGEST]}}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
