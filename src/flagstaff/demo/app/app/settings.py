"""What does the environment say about this process?"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """Everything that differs between a laptop and a server."""

    broker_url: str
    log_folder: Path
    port: int
    jobs_per_second: float
    incident: str

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the environment; every variable has a default that works on a laptop."""
        return cls(
            broker_url=os.environ.get("BROKER_URL", f"spool://{ROOT}/var/broker"),
            log_folder=Path(os.environ.get("LOG_FOLDER", ROOT / "log")),
            port=int(os.environ.get("PORT", "8000")),
            jobs_per_second=float(os.environ.get("JOBS_PER_SECOND", "40")),
            incident=os.environ.get("DEMO_BREAK", ""),
        )


settings = Settings.from_environment()
