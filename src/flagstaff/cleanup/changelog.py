"""How does this project write down what changed?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from flagstaff.cleanup.tree import Tree

_ORDER = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
_UNRELEASED = re.compile(r"^##\s+\[?unreleased\]?", re.IGNORECASE)
_HEADING = re.compile(r"^#{1,2}\s")
_SECTION = re.compile(r"^###\s+(.+?)\s*$")
_FRAGMENT = re.compile(r"^(?P<stem>.+?)\.(?P<kind>[a-z]+)(?:\.\d+)?(?P<end>\.(?:md|rst|txt))?$")
_NO_FRAGMENTS = {".gitkeep", ".gitignore", "README.md", "README.rst", "template.md", "template.rst"}


def changelog_entry(tree: Tree, changelog: Path, flag: str, title: str) -> tuple[str, bytes]:
    """Return the path and the new content of the file that tells of the clean-up.

    A folder gets a fragment named as its neighbours are; a file gets one line.
    """
    path = changelog.as_posix()
    beside = [p for p in tree.paths() if p.startswith(f"{path}/")]
    content = tree.read(path)
    if beside or (content is None and not changelog.suffix and changelog.name.islower()):
        return _fragment(path, beside, flag, title)
    return path, with_line((content or b"# Changelog\n").decode(), title).encode()


def _fragment(folder: str, beside: Sequence[str], flag: str, title: str) -> tuple[str, bytes]:
    names = [p.rpartition("/")[2] for p in beside]
    if any(name.endswith((".yml", ".yaml")) for name in names):
        # A title in quotes of JSON is YAML whatever it holds.
        quoted = title.replace("\\", "\\\\").replace('"', '\\"')
        text = f'---\ntitle: "{quoted}"\nmerge_request:\nauthor:\ntype: removed\n'
        return f"{folder}/{flag}.yml", text.encode()
    found = [m for n in names if n not in _NO_FRAGMENTS and (m := _FRAGMENT.match(n))]
    kinds = {match["kind"] for match in found}
    kind = "removal" if "removal" in kinds and "removed" not in kinds else "removed"
    ends = [match["end"] or "" for match in found]
    end = max(set(ends), key=ends.count) if ends else ".md"
    # Towncrier takes what stands before the first dot for the number of an issue.
    orphan = "+" if any(re.match(r"\+|\d+$", match["stem"]) for match in found) else ""
    return f"{folder}/{orphan}{flag}.{kind}{end}", f"{title}\n".encode()


def with_line(text: str, title: str) -> str:
    """Return a changelog with `title` under its unreleased removals; twice is the same as once."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines()
    bullet = next((line[0] for line in lines if line.startswith(("- ", "* "))), "-")
    entry = f"{bullet} {title}"
    if entry in lines:
        return text
    lines = _with_entry(lines, entry)
    return newline.join(lines).rstrip() + newline


def _with_entry(lines: list[str], entry: str) -> list[str]:
    top = next((i for i, line in enumerate(lines) if _UNRELEASED.match(line)), None)
    keeps_a_changelog = any(line.startswith("## ") for line in lines) or len(lines) <= 1
    if top is None and not keeps_a_changelog:
        return _plain(lines, entry)
    if top is None:
        top = next((i for i, line in enumerate(lines) if line.startswith("## ")), len(lines))
        gap = [""] if top and lines[top - 1].strip() else []
        heading = ["## [Unreleased]", "", "### Removed", "", entry]
        rest = lines[top:]
        return [*lines[:top], *gap, *heading, *([""] if rest else []), *rest]
    end = next(
        (i for i in range(top + 1, len(lines)) if _HEADING.match(lines[i]) or _is_link(lines[i])),
        len(lines),
    )
    return [*lines[: top + 1], *_in_release(lines[top + 1 : end], entry), *lines[end:]]


def _in_release(body: list[str], entry: str) -> list[str]:
    """Return the lines of one release with the entry under `Removed`, made where it belongs."""
    heads = [(i, m[1]) for i, line in enumerate(body) if (m := _SECTION.match(line))]
    for index, (start, name) in enumerate(heads):
        if name == "Removed":
            end = heads[index + 1][0] if index + 1 < len(heads) else len(body)
            while end > start + 1 and not body[end - 1].strip():
                end -= 1
            lead = [""] if end == start + 1 else []
            return [*body[:end], *lead, entry, *body[end:]]
    later = _ORDER[_ORDER.index("Removed") + 1 :]
    place = next((i for i, name in heads if name in later), len(body))
    before, after = body[:place], body[place:]
    while before and not before[-1].strip():
        before.pop()
    return [*before, "", "### Removed", "", entry, "", *after]


def _plain(lines: list[str], entry: str) -> list[str]:
    """Return a list without releases with the entry on top, below its title."""
    place = next((i for i, line in enumerate(lines) if line.startswith(entry[:2])), None)
    if place is None:
        return [*lines, *([""] if lines and lines[-1].strip() else []), entry]
    return [*lines[:place], entry, *lines[place:]]


def _is_link(line: str) -> bool:
    return re.match(r"^\[[^\]]+\]:\s", line) is not None
