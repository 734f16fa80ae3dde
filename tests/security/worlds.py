"""Who is known at the server of the tests?"""

from __future__ import annotations

from dataclasses import dataclass

from flagstaff.commands.access_model import AddPerson, CreateToken
from flagstaff.server.app import Application
from flagstaff.services import identity, people
from flagstaff.services.person import ADMIN_EVERYWHERE, ENGINE, Person, Source

ROOT = Person(name="root", source=Source.TERMINAL, roles=ADMIN_EVERYWHERE)
COOKIE = "flagstaff_session"


@dataclass(frozen=True, slots=True)
class World:
    """Makes people, tokens and sessions on a server."""

    application: Application

    def token(self, *roles: str, person: str = "", expires: str = "") -> str:
        """Return the secret of a new token."""
        command = CreateToken(
            label="program", roles=roles, person=person, machine=not person, expires=expires
        )
        return str(self.application.services.execute(command, ROOT).data["token"])

    def person(self, name: str, *roles: str) -> str:
        """Add an account; return the secret of its setup link."""
        services = self.application.services
        if not services.ask(people.anybody, ROOT):  # the first one has to be an admin
            services.execute(AddPerson(name="first", roles=("admin",)), ROOT)
        found = services.execute(AddPerson(name=name, roles=roles), ROOT)
        return str(found.data["link"]).rpartition("/")[2]

    def session(self, name: str) -> dict[str, str]:
        """Return the headers of a browser in which somebody has signed in."""
        with self.application.services.unit(ENGINE, write=True) as unit:
            secret = identity.start_session(unit, name, how="a test")
        return {"cookie": f"{COOKIE}={secret}"}
