"""What should whoever starts a server know?"""

from __future__ import annotations

from flagstaff.server.settings import Settings


def remarks(settings: Settings, speed: float) -> tuple[str, ...]:
    """Return what is unusual about this server, a sentence each."""
    found = []
    if not settings.secure and not settings.local:
        found.append(
            "people and programs come without https, so passwords and tokens can be read on the "
            "way; give --tls-cert and --tls-key, or put a proxy with https before it"
        )
    if speed != 1:
        found.append(f"time runs {speed:g} times as fast as real time")
    return tuple(found)
