"""Which templates does a clean-up rewrite?"""

from __future__ import annotations

from flagstaff.cleanup.template_conditions import Asking
from flagstaff.cleanup.template_variables import without_variables
from flagstaff.cleanup.templates import Unpaired, blocks, clean_template
from flagstaff.cleanup.tree import Overlay

_TEMPLATES = (".html", ".htm", ".txt", ".jinja", ".jinja2", ".j2", ".djhtml", ".xml", ".haml.html")


def clean_templates(work: Overlay, flag: str, *, keep: bool) -> None:
    """Rewrite the templates that ask for the flag; one whose tags do not pair up stays."""
    for path in work.containing((flag,)):
        content = work.read(path) or b""
        if not path.endswith(_TEMPLATES) or (b"{%" not in content and b"{{" not in content):
            continue
        try:
            before = content.decode()
            bare, variables = without_variables(work, path, before, flag, keep=keep)
            after = clean_template(bare, Asking(flag, variables), keep=keep)
            blocks(after)
        except (Unpaired, UnicodeDecodeError):
            continue
        work.write(path, after.encode())
