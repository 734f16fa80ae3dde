"""Is this an address that a browser or a client may be sent to?"""

from __future__ import annotations

import re
from typing import Final

_WEB_ADDRESS: Final = re.compile(r"https?://[^\s/?#]+(?:[/?#]\S*)?", re.IGNORECASE)


def is_web_address(text: str) -> bool:
    """Say whether `text` is an http or https address; `javascript:…` must never become a link."""
    return _WEB_ADDRESS.fullmatch(text) is not None
