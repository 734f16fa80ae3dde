"""What can be set about a server?"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from flagstaff.errors import Refused, UsageError

FOLDER = ".flagstaff"
DEFAULT_PORT = 8080


class Settings(BaseSettings):
    """Each comes from an argument, else from `FLAGSTAFF_…` in the environment, else the default.

    Attributes:
        root: the project's folder.
        database: `sqlite:///FILE` or `postgresql://…`; empty is a file in `.flagstaff`.
        host: the address to listen on; only this machine's own.
        port: 0 takes any free one; `None` takes 8080 or the next free one.
        speed: how much faster than real time, at least 1; `None` is as before, at first 1.
        engine: whether this process also runs the rollouts.
    """

    model_config = SettingsConfigDict(env_prefix="FLAGSTAFF_", frozen=True)

    root: Path = Field(default_factory=Path.cwd)
    database: str = ""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] | None = None
    speed: Annotated[float, Field(ge=1)] | None = None
    engine: bool = True

    @property
    def folder(self) -> Path:
        """Return where the server keeps what is its own."""
        return self.root / FOLDER

    @property
    def database_url(self) -> str:
        """Return the address of the database."""
        return self.database or f"sqlite:///{self.folder / 'state.db'}"


def load_settings(**given: Any) -> Settings:
    """Return the settings; arguments that are `None` are as if they were not given.

    Raises:
        UsageError: one of them is wrong; every wrong one is named, with where it comes from.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        settings = Settings(**chosen)
    except ValidationError as exc:
        wrong = []
        for each in exc.errors():
            name = str(each["loc"][0])
            place = name if name in chosen else f"FLAGSTAFF_{name.upper()}"
            wrong.append(f"{place}: {each['input']!r}: {each['msg'].lower()}")
        raise UsageError("\n".join(wrong), hint="mend it, or leave it out") from exc
    return settings.model_copy(update={"root": settings.root.resolve()})


def check_host(host: str) -> None:
    """Refuse an address that others could reach.

    Raises:
        Refused: it is not a loopback address.
    """
    if host == "localhost":
        return
    try:
        if ipaddress.ip_address(host).is_loopback:
            return
    except ValueError:
        pass
    raise Refused(
        f"the server does not listen on {host}: it has no accounts yet, so whoever reached it "
        "could change every flag",
        hint="leave it at 127.0.0.1, and use `ssh -L 8080:127.0.0.1:8080` from elsewhere",
    )
