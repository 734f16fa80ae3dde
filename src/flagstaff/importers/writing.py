"""How does a flag of another system read as a definition?"""

from __future__ import annotations

import json
import re

from flagstaff.flags.bucketing import Bucketing
from flagstaff.importers.model import ImportedFlag

_BREAKS = re.compile(r"\s+")
_LONGEST = 200


def definition_file(flag: ImportedFlag, *, system: str) -> str:
    """Return the text of the file `<type>/<name>.yml`."""
    told = f"# From {system}: {_line(flag.theirs)}"
    lines = [told]
    if flag.description:
        lines.append(f"# {_line(flag.description)}")
    lines += [f"name: {flag.name}", f"type: {flag.type}"]
    if flag.group:
        lines.append(f"group: {json.dumps(_line(flag.group), ensure_ascii=False)}")
    lines.append("default_enabled: false")
    if flag.bucketing is not Bucketing.CRC32:
        lines.append(f"bucketing: {flag.bucketing.value}")
    if flag.prerequisites:
        lines.append("prerequisites:")
        lines += [
            f"  - {{flag: {name}, value: {str(wanted).lower()}}}"
            for name, wanted in flag.prerequisites
        ]
    return "\n".join(lines) + "\n"


def _line(text: str) -> str:
    """Return a text on one line, with nothing in it that YAML would refuse."""
    shown = _BREAKS.sub(" ", text).strip()[:_LONGEST]
    return "".join(sign if sign.isprintable() else "?" for sign in shown)
