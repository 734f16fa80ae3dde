"""What may be done, by whom, and what is recorded? The one door for every way in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeGuard, TypeVar, assert_never

from flagstaff.commands import model
from flagstaff.commands.access_model import (
    AddPerson,
    CreateToken,
    InvitePerson,
    LinkChat,
    LinkForge,
    ListPeople,
    ListTokens,
    RemovePerson,
    RevokeToken,
    SetRoles,
    UnlinkChat,
)
from flagstaff.commands.job_model import ListSwitches, SwitchJobs
from flagstaff.commands.life_model import DeleteUndefined, ListStale, SetDue
from flagstaff.commands.lock_model import (
    CloseIncident,
    ListLocks,
    LockEnvironment,
    OpenIncident,
    UnlockEnvironment,
)
from flagstaff.commands.model import Command
from flagstaff.commands.outcome import Outcome
from flagstaff.commands.plan_model import EditRollout, PlanRollout, ShowPlan
from flagstaff.commands.roles import Role
from flagstaff.errors import FlagstaffError, Undecided
from flagstaff.flags.change import Boolean
from flagstaff.rollouts.event import Answer
from flagstaff.services import (
    access,
    auditing,
    creating,
    deployments,
    editing,
    flags,
    idempotency,
    importing,
    locks,
    permissions,
    planning,
    rollouts,
    setting,
    showing,
    switches,
    taking_over,
    undoing,
)
from flagstaff.services.clock import Clock
from flagstaff.services.conditions import Condition
from flagstaff.services.health import Health
from flagstaff.services.idempotency import request_key
from flagstaff.services.lives import answering as lives
from flagstaff.services.on_call import show_on_call
from flagstaff.services.permissions import require_somewhere
from flagstaff.services.person import Person
from flagstaff.services.policies.change import PRODUCTION
from flagstaff.services.policies.health import ProductionHealth
from flagstaff.services.reading_issues import with_issues
from flagstaff.services.showing_evidence import show_evidence
from flagstaff.services.telling import Telling
from flagstaff.services.unit import Context, Unit
from flagstaff.store import audit, notifications
from flagstaff.store.database import Database

T = TypeVar("T")
Listener = Callable[[frozenset[str]], None]
Observer = Callable[[str, str], None]

EVERYTHING = "everything"
"""The name that listeners hear when anything may have changed."""

NOT_ASKED = Answer(yes=False, text="nobody was asked")
"""Whoever overrules the check need not wait for it."""

log = logging.getLogger(__name__)


class Services:
    """Carries out commands, each in one transaction, and tells listeners what changed.

    Listeners hear names such as `rollout:42` or `flags:production` after the commit; they fetch
    what they need themselves, so permissions are looked at again.
    """

    def __init__(self, database: Database, context: Context, clock: Clock) -> None:
        self.database = database
        self.context = context
        self.clock = clock
        self.health = Health(context.health)
        self._listeners: list[Listener] = []
        self._telling = Telling()
        self._observers: list[Observer] = []

    def listen(self, listener: Listener) -> None:
        """Call `listener` with the names of what changed, after every commit."""
        self._listeners.append(listener)

    def observe(self, observer: Observer) -> None:
        """Call `observer` with the kind of every command and with what came of it.

        That is `done`, `rehearsed`, `failed` or the code of an error.
        """
        self._observers.append(observer)

    def ignore(self, listener: Listener) -> None:
        """Call `listener` no more."""
        self._listeners.remove(listener)

    def execute(
        self,
        command: Command,
        by: Person,
        *,
        dry_run: bool = False,
        key: str = "",
        condition: Condition | None = None,
    ) -> Outcome:
        """Carry out a command and return what came of it.

        With `dry_run` everything is done and then taken back, so the answer is the real one. A
        `key` has the same command of the same person carried out once; see `idempotency`. A
        `condition` has to hold in the same transaction.

        Raises:
            FlagstaffError: it was refused or impossible, and nothing was changed.
        """
        (outcome,) = self.execute_all([command], by, dry_run=dry_run, key=key, condition=condition)
        return outcome

    def execute_all(
        self,
        commands: Sequence[Command],
        by: Person,
        *,
        dry_run: bool = False,
        key: str = "",
        condition: Condition | None = None,
    ) -> list[Outcome]:
        """Carry out commands in one unit of work, each seeing what those before it did.

        Whoever reads or listens sees the end alone, never a state between two of them.

        Raises:
            FlagstaffError: one of them was refused or impossible, and nothing was changed.
        """
        if not commands:
            return []
        try:
            found = self._executed(commands, by, dry_run=dry_run, key=key, condition=condition)
        except FlagstaffError as exc:
            self._observed((command, exc.code) for command in commands)
            raise
        kept = "rehearsed" if dry_run else "done"
        told = zip(commands, found, strict=True)
        self._observed((command, kept if each.ok else "failed") for command, each in told)
        if not dry_run:
            return found
        return [
            _rehearsed(outcome) if command.writes else outcome
            for command, outcome in zip(commands, found, strict=True)
        ]

    def _executed(
        self,
        commands: Sequence[Command],
        by: Person,
        *,
        dry_run: bool,
        key: str,
        condition: Condition | None,
    ) -> list[Outcome]:
        healthy = self._healthy(commands)
        read = with_issues(self.context, commands, by)
        write = any(command.writes for command in commands)
        with self.unit(by, write=write, keep=not dry_run, healthy=healthy) as unit:
            asked = request_key(unit, key, commands) if key and write and not dry_run else None
            if asked and (before := idempotency.recall(unit, asked)):
                return before
            if condition is not None:
                for command in commands:
                    permissions.check(unit, command)
                condition(unit)
            found = [_permitted(unit, command) for command in read]
            if asked:
                idempotency.keep(unit, asked, found)
        return found

    def _observed(self, happened: Iterable[tuple[Command, str]]) -> None:
        for command, outcome in happened:
            for observer in self._observers:
                observer(type(command).__name__, outcome)

    def ask(self, question: Callable[[Unit], T], by: Person, *, healthy: Answer | None = None) -> T:
        """Return the answer to a question that changes nothing.

        Raises:
            Refused: the asker may not see anything.
        """
        require_somewhere(by, Role.VIEWER)
        with self.unit(by, write=False, healthy=healthy) as unit:
            return question(unit)

    @contextmanager
    def unit(
        self, by: Person, *, write: bool, keep: bool = True, healthy: Answer | None = None
    ) -> Iterator[Unit]:
        """Give one unit of work; when it ends well, it is committed and the listeners are told.

        Without `keep` it is taken back instead, and nobody is told. `healthy` is what was said
        about production.
        """
        transaction = self.database.write(keep=keep) if write else self.database.read()
        sender = self._telling.begin()
        unit = None
        try:
            with transaction as connection:
                now = self.clock.now()
                unit = Unit(
                    context=self.context,
                    connection=connection,
                    now=now,
                    wall=self.clock.wall(now),
                    by=by,
                    healthy=healthy,
                    rehearsal=not keep,
                )
                yield unit
                if unit.changed and keep:
                    notifications.send(connection, sender, unit.changed)
                audit.append(connection, unit.entries)
        except Undecided:
            self._telling.doubt(sender)
            if unit is not None:
                self.tell(frozenset(unit.changed))
            raise
        if unit.changed and keep:
            self.tell(frozenset(unit.changed))

    def tell(self, names: frozenset[str]) -> None:
        """Tell the listeners of this process what has changed."""
        for listener in tuple(self._listeners):
            try:
                listener(names)
            except Exception:
                log.exception("a listener failed; the change itself is kept")

    def has_told(self, sender: str) -> bool:
        """Return whether the change with this sender is ours, and the listeners know of it."""
        return self._telling.has_told(sender)

    def _healthy(self, commands: Iterable[Command]) -> Answer | None:
        """Return how production is, asked before the transaction and only where it matters."""
        concerned = [each for each in commands if _concerns_production(each)]
        if not concerned or self.context.health is None:
            return None
        if all(ProductionHealth.override in each.overrides for each in concerned):
            return NOT_ASKED
        return self.health.ask()


def _concerns_production(
    command: Command,
) -> TypeGuard[
    model.SetFlag | model.DeleteFlag | model.ImportFlags | model.UndoEntry | DeleteUndefined
]:
    """Return whether a command may change production other than by turning a flag off there."""
    match command:
        case model.UndoEntry():
            return True
        case model.ImportFlags():
            return PRODUCTION in command.gates
        case model.SetFlag():
            off = command.change == Boolean(value=False)
            return PRODUCTION in command.environments and not off
        case model.DeleteFlag() | DeleteUndefined():
            return PRODUCTION in command.environments
        case _:
            return False


def _rehearsed(outcome: Outcome) -> Outcome:
    text = f"{outcome.text}\n\nnothing was changed (dry run)"
    return replace(outcome, text=text, next="")


def _permitted(unit: Unit, command: Command) -> Outcome:
    permissions.check(unit, command)
    return _carry_out(unit, command)


def _carry_out(unit: Unit, command: Command) -> Outcome:
    match command:
        case model.SetFlag():
            return setting.set_flag(unit, command)
        case model.GetFlag():
            return flags.get_flag(unit, command)
        case model.ListFlags():
            return flags.list_flags(unit, command)
        case model.DeleteFlag():
            return setting.delete_flag(unit, command)
        case model.ImportFlags():
            return taking_over.import_flags(unit, command)
        case model.AutoDeployStatus():
            return deployments.auto_deploy_status(unit, command)
        case model.ReleaseCheck():
            return deployments.release_check(unit, command)
        case model.RecordDeployment():
            return deployments.record_deployment(unit, command)
        case model.ImportRollout():
            return importing.import_rollout(unit, command)
        case model.CreateRollout():
            return creating.create_rollout(unit, command)
        case PlanRollout():
            return planning.plan_rollout(unit, command)
        case ShowPlan():
            return planning.show_plan(unit, command)
        case EditRollout():
            return editing.edit_rollout(unit, command)
        case model.ListRollouts():
            return showing.list_rollouts(unit, command)
        case model.ShowRollout():
            return showing.show_rollout(unit, command)
        case model.ShowEvidence():
            return show_evidence(unit, command)
        case model.StartRollout():
            return rollouts.start(unit, command)
        case (
            model.ApproveStep()
            | model.RejectStep()
            | model.SkipStep()
            | model.PromoteRollout()
            | model.PauseRollout()
            | model.ResumeRollout()
            | model.RetryRollout()
            | model.AbortRollout()
        ):
            return rollouts.decide(unit, command)
        case model.ListAudit() | model.ExportAudit() | model.VerifyAudit():
            return auditing.answer(unit, command)
        case model.UndoEntry():
            return undoing.undo(unit, command)
        case model.ShowOnCall():
            return show_on_call(unit, command)
        case (
            AddPerson()
            | SetRoles()
            | InvitePerson()
            | RemovePerson()
            | ListPeople()
            | LinkChat()
            | LinkForge()
            | UnlinkChat()
            | CreateToken()
            | RevokeToken()
            | ListTokens()
        ):
            return access.answer(unit, command)
        case (
            LockEnvironment() | UnlockEnvironment() | OpenIncident() | CloseIncident() | ListLocks()
        ):
            return locks.answer(unit, command)
        case ListStale() | SetDue() | DeleteUndefined():
            return lives.answer(unit, command)
        case SwitchJobs() | ListSwitches():
            return switches.answer(unit, command)
        case _:
            assert_never(command)
