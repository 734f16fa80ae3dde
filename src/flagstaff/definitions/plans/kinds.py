"""Which kinds of steps are there in a plan, and which fields has each?

One table for reading and for writing: a kind that is added here can be written in YAML.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flagstaff.definitions.duration import format_duration
from flagstaff.definitions.fields import Fields
from flagstaff.definitions.plans.broker_fields import check_migration, read_queue
from flagstaff.definitions.plans.changing import (
    SET_KEYS,
    read_change,
    read_wanted,
    write_change,
    write_set,
)
from flagstaff.definitions.plans.kind_fields import (
    OWN,
    WELL,
    Around,
    Field,
    environment_field,
    length,
    one_of,
    optional,
    read_boolean,
    read_broker,
    read_channels,
    read_command,
    read_commit,
    read_condition,
    read_count,
    read_duration,
    read_guards,
    read_moment,
    read_name,
    read_request,
    read_role,
    read_text,
    read_whole,
)
from flagstaff.definitions.plans.values import FlowMap, flow, texts
from flagstaff.rollouts.checks import (
    HTTP_TIMEOUT,
    OK,
    STABLE,
    CheckCommand,
    CheckDrained,
    CheckFlag,
    CheckHealth,
    CheckHttp,
    CheckWorkersReady,
    DeleteQueue,
    MigrateJobs,
    RunCommand,
    Wait,
)
from flagstaff.rollouts.plan import (
    Action,
    Announce,
    Approve,
    AskPerson,
    AwaitMerge,
    Bake,
    CheckDeployed,
    CheckReleased,
    CleanupPart,
    Close,
    CloseTarget,
    DeleteFlag,
    OpenCleanup,
    SetGate,
    Summary,
)
from flagstaff.rollouts.rules import OnInconclusive, OnTimeout


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of step.

    Attributes:
        word: the key that makes a step one of this kind.
        bare: the key that a single value, or a list, under the word stands for.
        titled: a single value is the step's title instead.
        mark: the key by which kinds with the same word are told apart.
    """

    word: str
    action: type
    fields: tuple[Field, ...] = ()
    bare: str = ""
    titled: bool = False
    mark: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys that may stand under the word."""
        return SET_KEYS if self.action is SetGate else tuple(each.key for each in self.fields)

    def read(self, fields: Fields, around: Around) -> Action | None:
        """Return the action, or note what is wrong and return nothing."""
        before = len(fields.problems.errors)
        fields.unknown(self.keys, fields.problems.error)
        found = {each.name: _read(each, fields, around) for each in self.fields}
        if self.action is SetGate:
            found["change"] = read_change(fields)
        if self.action is Wait:
            _check_wait(fields)
        if self.action is MigrateJobs:
            check_migration(fields)
        if len(fields.problems.errors) > before:
            return None
        made: Action = self.action(**found)
        return made

    def write(self, action: Action, title: str) -> object:
        """Return what stands under the word."""
        if isinstance(action, SetGate):
            return write_set(action)
        written = FlowMap(
            (each.key, each.write(getattr(action, each.name)))
            for each in self.fields
            if each.needed or each.inherited or getattr(action, each.name) != each.absent
        )
        if self.titled and not written:
            return title
        if set(written) == {self.bare}:
            return written[self.bare]
        return written or None


def _read(field: Field, fields: Fields, around: Around) -> object:
    if not fields.has(field.key):
        if field.needed:
            fields.required(field.key)
        return field.inherited(around) if field.inherited else field.absent
    found = field.read(fields, field.key, around)
    return field.absent if found is None else found


def _check_wait(fields: Fields) -> None:
    if sum(fields.has(key) for key in fields) != 1:
        fields.problems.error(
            "has a `wait` for more than one thing, or for none",
            line=min((fields.line(key) for key in fields), default=fields.line("")),
            remedy="write one of `duration`, `until` and `condition`",
        )


PRODUCTION: Final = ("production",)
OVERRIDES: Final = Field(
    key="overrides",
    read=lambda fields, key, _: texts(fields, key),
    write=flow,
    needed=False,
    absent=(),
)
KINDS: Final = (
    Kind(
        word="set",
        action=SetGate,
        bare="boolean",
        fields=(environment_field(absent=PRODUCTION), OVERRIDES),
    ),
    Kind(
        word="bake",
        action=Bake,
        bare="duration",
        fields=(
            Field(key="duration", read=read_duration, write=format_duration),
            length("max_time"),
            optional("on_inconclusive", one_of(OnInconclusive), str, None),
        ),
    ),
    Kind(
        word="check",
        action=CheckDeployed,
        mark="deployed",
        fields=(
            Field(key="deployed", attribute="sha", read=read_commit, write=str),
            environment_field(),
        ),
    ),
    Kind(
        word="check",
        action=CheckReleased,
        mark="released",
        fields=(
            Field(
                key="released",
                attribute="request",
                read=read_request,
                write=lambda request: request or OWN,
            ),
            Field(key="version", read=read_text, write=str, needed=False, absent=""),
        ),
    ),
    Kind(
        word="check",
        action=CheckFlag,
        mark="flag",
        fields=(
            Field(key="flag", attribute="change", read=read_wanted, write=write_change),
            environment_field(),
        ),
    ),
    Kind(
        word="check",
        action=CheckHealth,
        mark="healthy",
        fields=(
            Field(
                key="healthy",
                attribute="guards",
                read=read_guards,
                write=lambda guards: flow(guards) if guards else WELL,
            ),
        ),
    ),
    Kind(
        word="check",
        action=CheckCommand,
        mark="command",
        fields=(Field(key="command", read=read_command, write=str),),
    ),
    Kind(
        word="check",
        action=CheckHttp,
        mark="http",
        fields=(
            Field(key="http", attribute="url", read=read_text, write=str),
            optional("status", read_whole, int, OK),
            optional("path", read_text, str, ""),
            optional("equals", read_text, str, ""),
            length("timeout", HTTP_TIMEOUT),
        ),
    ),
    Kind(
        word="check",
        action=CheckWorkersReady,
        mark="workers_ready",
        fields=(
            Field(key="workers_ready", attribute="name", read=read_name, write=str),
            Field(key="broker", read=read_broker, write=str),
            optional("queue", read_text, str, ""),
        ),
    ),
    Kind(
        word="check",
        action=CheckDrained,
        mark="drained",
        fields=(
            Field(key="drained", attribute="name", read=read_name, write=str),
            Field(key="broker", read=read_broker, write=str),
            optional("queues", lambda fields, key, _: texts(fields, key), flow, ()),
            length("stable", STABLE),
            optional("cleaned_up", read_boolean, bool, absent=False),
        ),
    ),
    Kind(
        word="run",
        action=RunCommand,
        bare="command",
        fields=(Field(key="command", read=read_command, write=str),),
    ),
    Kind(
        word="migrate",
        action=MigrateJobs,
        fields=(
            Field(key="jobs", attribute="name", read=read_name, write=str),
            Field(key="to", read=read_name, write=str),
            Field(key="broker", read=read_broker, write=str),
            optional("old_queue", read_queue, str, ""),
            optional("new_queue", read_queue, str, ""),
        ),
    ),
    Kind(
        word="delete_queue",
        action=DeleteQueue,
        fields=(
            Field(key="queue", read=read_queue, write=str),
            Field(key="broker", read=read_broker, write=str),
        ),
    ),
    Kind(
        word="wait",
        action=Wait,
        bare="duration",
        fields=(
            length("duration"),
            optional("until", read_moment, datetime.isoformat, None),
            optional("condition", read_condition, str, ""),
        ),
    ),
    Kind(
        word="announce",
        action=Announce,
        bare="text",
        fields=(
            Field(key="text", read=read_text, write=str),
            Field(
                key="channels",
                read=read_channels,
                write=flow,
                needed=False,
                absent=(),
                inherited=lambda around: around.announce_to,
            ),
        ),
    ),
    Kind(
        word="approve",
        action=Approve,
        titled=True,
        fields=(
            optional("role", read_role, str, ""),
            optional("four_eyes", read_boolean, bool, absent=False),
            optional("count", read_count, int, 1),
            length("timeout"),
            optional("on_timeout", one_of(OnTimeout), str, OnTimeout.HOLD),
        ),
    ),
    Kind(word="ask", action=AskPerson, titled=True),
    Kind(
        word="cleanup",
        action=OpenCleanup,
        bare="part",
        fields=(Field(key="part", read=one_of(CleanupPart), write=str),),
    ),
    Kind(word="merge", action=AwaitMerge, titled=True),
    Kind(
        word="delete",
        action=DeleteFlag,
        bare="environments",
        fields=(environment_field(),),
    ),
    Kind(
        word="close",
        action=Close,
        bare="target",
        fields=(
            Field(key="target", read=one_of(CloseTarget), write=str),
            Field(key="reference", read=read_text, write=str, needed=False, absent=""),
        ),
    ),
    Kind(word="summary", action=Summary, titled=True),
)
WORDS: Final = tuple(dict.fromkeys(kind.word for kind in KINDS))
BY_ACTION: Final = {kind.action: kind for kind in KINDS}


def kinds_of(word: str) -> tuple[Kind, ...]:
    """Return the kinds that a word may mean."""
    return tuple(kind for kind in KINDS if kind.word == word)
