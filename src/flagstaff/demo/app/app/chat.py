"""Which announcements did the team's chat receive?"""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path


class Chat:
    """Announcements in `chat.jsonl`; the same key is acknowledged again but kept once."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "chat.jsonl"
        self._lock = threading.Lock()
        self._keys = {announcement["key"] for announcement in self.read()}

    def read(self) -> list[dict[str, str]]:
        if not self._path.exists():
            return []
        with self._path.open(encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def post(self, key: str, channel: str, text: str) -> bool:
        """Keep an announcement; return False when its key is known already."""
        with self._lock:
            if key in self._keys:
                return False
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            line = json.dumps({"key": key, "at": at, "channel": channel, "text": text})
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
            self._keys.add(key)
            return True
