"""How does a template become a page?"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from flagstaff.rollouts.evidence.curve import WIDEST
from flagstaff.rollouts.evidence.message import to_one
from flagstaff.web import words
from flagstaff.web.charting import actor_of
from flagstaff.web.issue_text import render_issue
from flagstaff.web.step_words import kind_of
from flagstaff.web.tiles import evidence_share

HERE = Path(__file__).parent
STATIC = HERE / "static"
TEMPLATES = HERE / "templates"
PRODUCTION = "production"
DRAWN_OFTEN = ("icon", "chip", "environment")
"""Macros that a long table calls for each of its cells, always with the same few arguments."""


@cache
def templates() -> Environment:
    """Return the environment of all templates: everything is escaped, nothing may be missing."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        moment=moment,
        ago=ago,
        days_old=lambda days: f"{days:,} d" if days else "today",
        twice=lambda words: [(each, each) for each in words],
        iso_moment=lambda text: moment(datetime.fromisoformat(text)),
        issue=render_issue,
        lasting=words.length,
        code=code,
        parts=parts,
        spaced=lambda text: str(text).replace("_", " "),
        problem_count=lambda found: f"{len(found)} problem{'' if len(found) == 1 else 's'}",
        action_words=words.action,
    )
    looks: dict[str, Callable[..., Any]] = {
        "phase_look": words.phase_look,
        "step_look": words.step_look,
        "verdict_look": words.verdict_look,
        "evidence": to_one,
        "cell_look": words.cell_look,
        "seen_look": words.seen_look,
        "drained_look": words.drained_look,
        "kind_of": kind_of,
        "actor_of": actor_of,
        "evidence_share": evidence_share,
    }
    environment.globals.update(looks)
    environment.globals.update(PRODUCTION=PRODUCTION, WIDEST=WIDEST)
    ui = environment.get_template("ui.html").module
    vars(ui).update({name: cache(vars(ui)[name]) for name in DRAWN_OFTEN})
    environment.globals["ui"] = ui
    return environment


@cache
def names() -> frozenset[str]:
    """Return the names of all templates."""
    return frozenset(templates().list_templates())


def moment(at: datetime) -> Markup:
    """Return a time that the page's script shows in the reader's own zone, and UTC without it."""
    return Markup('<time datetime="{}">{} UTC</time>').format(
        at.isoformat(), at.strftime("%Y-%m-%d %H:%M")
    )


def ago(at: datetime, now: datetime) -> Markup:
    """Return how long ago a time was; the script leaves it so, for it has a title already."""
    said = words.ago((now - at).total_seconds())
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        at.isoformat(), at.strftime("%Y-%m-%d %H:%M"), said
    )


def parts(name: str) -> Markup:
    """Return a name whose line may break after each of its words, and only there."""
    return Markup("<wbr>").join(re.findall(r"[^._:/-]*[._:/-]?", name)[:-1])


def code(text: str) -> Markup:
    """Return text with its `…` parts set as code."""
    parts = str(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if position % 2 else escape(part)
        for position, part in enumerate(parts)
    )
