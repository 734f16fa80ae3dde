"""Who may do what, and where?

Whether somebody may is asked here for every command, whichever way it came in. Rollouts are asked
about where they begin and change, because only there it is known which environments they touch.
"""

from __future__ import annotations

from flagstaff.commands import model
from flagstaff.commands.access_model import (
    AccessCommand,
    AddPerson,
    CreateToken,
    InvitePerson,
    LinkChat,
    LinkForge,
    RemovePerson,
    SetRoles,
    UnlinkChat,
)
from flagstaff.commands.job_model import ListSwitches, SwitchJobs
from flagstaff.commands.life_model import DeleteUndefined, SetDue
from flagstaff.commands.lock_model import (
    CloseIncident,
    LockEnvironment,
    OpenIncident,
    UnlockEnvironment,
)
from flagstaff.commands.model import Command
from flagstaff.commands.plan_model import PlanRollout
from flagstaff.commands.roles import EVERYWHERE, MEANINGS, Role, role_texts
from flagstaff.definitions.project_file import PRODUCTION
from flagstaff.errors import Forbidden, Refused
from flagstaff.rollouts.plan import Plan
from flagstaff.services.person import Person, Source
from flagstaff.services.unit import Unit
from flagstaff.store import audit


def check(unit: Unit, command: Command) -> None:
    """Let a command pass that the asker may give.

    Raises:
        Forbidden: with the role that is missing, and where.
    """
    match command:
        case model.SetFlag() | model.DeleteFlag() | DeleteUndefined() | SwitchJobs():
            require(unit.by, _changing(command.overrides), command.environments)
        case model.ImportFlags():
            require(unit.by, _changing(command.overrides), tuple(command.gates))
        case model.UndoEntry():
            entry = audit.get(unit.connection, command.entry)
            places = (entry.environment or EVERYWHERE,) if entry else ()
            require(unit.by, _changing(command.overrides), places)
        case model.RecordDeployment():
            stages = unit.context.project.stages
            place = stages.get(command.environment, command.environment)
            require(unit.by, Role.OPERATOR, (place,))
        case SetDue():
            require(unit.by, Role.OPERATOR, (PRODUCTION,))
        case LockEnvironment() | OpenIncident():
            require(unit.by, Role.OPERATOR, (command.environment,))
        case UnlockEnvironment() | CloseIncident():
            require(unit.by, Role.MAINTAINER, (command.environment,))
        case model.GetFlag() | model.ListFlags() | ListSwitches():
            _see(unit.by, command.environments)
        case model.ImportRollout() | model.CreateRollout() | PlanRollout():
            require_somewhere(unit.by, Role.OPERATOR)
        case (
            AddPerson()
            | SetRoles()
            | InvitePerson()
            | RemovePerson()
            | LinkChat()
            | LinkForge()
            | UnlinkChat()
            | CreateToken()
        ):
            _check_accounts(unit.by, command)
        case _:
            require_somewhere(unit.by, Role.VIEWER)


def check_rollout(unit: Unit, plan: Plan, overrides: tuple[str, ...] = ()) -> None:
    """Let somebody decide about a rollout if they may change all that it changes.

    Raises:
        Forbidden: with the role that is missing, and where.
    """
    places = plan.changed_environments or plan.production
    require(unit.by, _changing(overrides), places)


def require(by: Person, role: Role, environments: tuple[str, ...]) -> None:
    """Let somebody pass who has the role in every environment named, and anywhere at all.

    Raises:
        Forbidden: with the role that is missing, and where.
    """
    if not environments:
        require_somewhere(by, Role.VIEWER)
    missing = [each for each in environments if not by.may(role, each)]
    if missing:
        where = "everywhere" if EVERYWHERE in missing else f"in {' and '.join(missing)}"
        raise _refused(by, role, where)


def require_somewhere(by: Person, role: Role) -> None:
    """Let somebody pass who has the role in any environment.

    Raises:
        Forbidden: with the role that is missing.
    """
    if not by.may_somewhere(role):
        raise _refused(by, role, "in at least one environment")


def visible(unit: Unit) -> tuple[str, ...]:
    """Return the environments of the project that the asker may look into."""
    known = unit.context.project.environments
    return tuple(each for each in known if unit.by.may(Role.VIEWER, each))


def visible_places(unit: Unit) -> tuple[str, ...] | None:
    """Return of which places the asker may read what was done there; `None` is of all.

    What was done in no one place, everybody may read who may read anything.
    """
    if unit.by.may(Role.VIEWER, EVERYWHERE):
        return None
    seen = visible(unit)
    stages = unit.context.project.stages
    return ("", *seen, *(each for each in stages if stages[each] in seen))


def _see(by: Person, environments: tuple[str, ...]) -> None:
    """Let somebody look into each of the environments; none named are those that they may see."""
    if environments:
        require(by, Role.VIEWER, environments)
    else:
        require_somewhere(by, Role.VIEWER)


def _changing(overrides: tuple[str, ...]) -> Role:
    return Role.MAINTAINER if overrides else Role.OPERATOR


def _check_accounts(by: Person, command: AccessCommand) -> None:
    _not_in_chat(by)
    match command:
        case LinkChat() | LinkForge() | UnlinkChat():
            require_somewhere(by, Role.VIEWER)
            if command.person and command.person != by.account:
                require(by, Role.ADMIN, (EVERYWHERE,))
        case CreateToken():
            require_somewhere(by, Role.VIEWER)
        case _:
            require(by, Role.ADMIN, (EVERYWHERE,))


def _not_in_chat(by: Person) -> None:
    if by.source is Source.CHAT:
        raise Refused(
            "accounts and tokens are not changed from chat, where everybody reads along",
            hint="use the terminal, or the page Settings",
        )


def _refused(by: Person, role: Role, where: str) -> Forbidden:
    has = ", ".join(role_texts(by.roles)) or "no role"
    if not by.account and by.source in {Source.API, Source.TERMINAL}:
        # A program's token has its roles for good; `person roles` knows no such name.
        remedy = (
            f"an admin makes another token: flagstaff token create {by.name} --machine "
            f"--role {role}, or {role}@ENVIRONMENT for one alone"
        )
    else:
        remedy = "an admin can change that under Settings or with `flagstaff person roles`"
    return Forbidden(
        f"{by.name} may not do this: it needs the role {role} {where} ({MEANINGS[role]})",
        hint=f"{by.name} has {has}; {remedy}",
    )
