"""What are the requests, as values?

A command says what is wanted, never how. The grammar builds them from words, `services` carries
them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from flagstaff.commands.access_model import AccessCommand
from flagstaff.commands.job_model import JobCommand
from flagstaff.commands.life_model import LifeCommand
from flagstaff.commands.lock_model import LockCommand
from flagstaff.commands.plan_model import PlanCommand
from flagstaff.flags.change import GateChange

HIGHEST = 2**31 - 1
"""No rollout and no entry of the log has a higher number; a database refuses to look for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFlag:
    """Change a flag's gates in the environments, all of them or none."""

    writes: ClassVar[bool] = True

    flag: str
    environments: tuple[str, ...]
    change: GateChange
    reason: str = ""
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GetFlag:
    """Show a flag's gates in the environments; where none is named, in all that may be seen."""

    writes: ClassVar[bool] = False

    flag: str
    environments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFlags:
    """List the flags of the environments, or of all that may be seen where none is named.

    `match` keeps the names that contain it.
    """

    writes: ClassVar[bool] = False

    environments: tuple[str, ...]
    match: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteFlag:
    """Remove a flag's state in the environments, so that its default applies again."""

    writes: ClassVar[bool] = True

    flag: str
    environments: tuple[str, ...]
    reason: str = ""
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFlags:
    """Give flags the gates they have in another system, all of them or none.

    `gates` is by environment and flag, as `Gates.to_json` writes them; a missing gate is closed.
    `origin` names the system.
    """

    writes: ClassVar[bool] = True

    gates: Mapping[str, object]
    origin: str
    reason: str = ""
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoDeployStatus:
    """Say what runs where, or in which environments a commit has arrived."""

    writes: ClassVar[bool] = False

    sha: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseCheck:
    """Say in which release a merge request, branch or commit is; `version` is `X.Y` or empty."""

    writes: ClassVar[bool] = False

    request: str
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDeployment:
    """Note that a commit now runs in an environment or deploy stage."""

    writes: ClassVar[bool] = True

    environment: str
    sha: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRollout:
    """Make a rollout of an issue's text.

    `path` is the file the issue is kept in, absolute, empty when it is only text. `issue` is its
    address on a forge, which is then asked for the text and the title. `placeholders` answers the
    `<…>` of the issue; `choices` says which way to take where one box offers several, by the line
    of the box or by the way's own name for every box.
    """

    writes: ClassVar[bool] = True

    text: str = ""
    path: str = ""
    placeholders: dict[str, str] = field(default_factory=dict)
    choices: dict[str, str] = field(default_factory=dict)
    start: bool = False
    issue: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRollout:
    """Write the issue of a flag's rollout, keep it on a forge, and make a rollout of it.

    `template` is the text to make it of, empty for our own; `forge` and `project` say where, empty
    for the only forge and its own project. `placeholders` answers the `<…>` of the template.
    """

    writes: ClassVar[bool] = True

    flag: str
    template: str = ""
    title: str = ""
    forge: str = ""
    project: str = ""
    placeholders: dict[str, str] = field(default_factory=dict)
    start: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRollouts:
    """List the rollouts, newest first; `active` leaves out those that are over."""

    writes: ClassVar[bool] = False

    active: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowRollout:
    """Show where a rollout stands, step by step."""

    writes: ClassVar[bool] = False

    rollout: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowEvidence:
    """Show what each guard of a rollout said, poll by poll; `guard` and `since` narrow it."""

    writes: ClassVar[bool] = False

    rollout: int
    guard: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRollout:
    """Begin a rollout."""

    writes: ClassVar[bool] = True

    rollout: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveStep:
    """Say yes to a step, or that it is done; an empty `step` means the waiting one.

    With `overrides`, a step that a policy holds goes on all the same, for the reason given.
    """

    writes: ClassVar[bool] = True

    rollout: int
    step: str = ""
    reason: str = ""
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectStep:
    """Say no to a step; the rollout pauses."""

    writes: ClassVar[bool] = True

    rollout: int
    reason: str
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipStep:
    """Skip a step, with the reason."""

    writes: ClassVar[bool] = True

    rollout: int
    reason: str
    step: str = ""
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteRollout:
    """End the current wait early, with the reason."""

    writes: ClassVar[bool] = True

    rollout: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRollout:
    """Stop progress; guards go on watching."""

    writes: ClassVar[bool] = True

    rollout: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRollout:
    """Let a paused rollout go on."""

    writes: ClassVar[bool] = True

    rollout: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRollout:
    """Try the failed step again."""

    writes: ClassVar[bool] = True

    rollout: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortRollout:
    """Roll everything back to the gates before the rollout."""

    writes: ClassVar[bool] = True

    rollout: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowOnCall:
    """Say who is on call for a service, empty for the usual one."""

    writes: ClassVar[bool] = False

    service: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSearch:
    """Which entries of the audit log are wanted; empty and 0 do not matter.

    `action` is one such as `flag.set`, or `flag` for all that begin so. `since` and `until` are
    times in ISO form, or how long ago. `before` is the number of an entry.
    """

    writes: ClassVar[bool] = False

    flag: str = ""
    person: str = ""
    environment: str = ""
    action: str = ""
    rollout: int = 0
    since: str = ""
    until: str = ""
    before: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAudit(AuditSearch):
    """List what was done, newest first."""

    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportAudit(AuditSearch):
    """Write out what was done, oldest first, as JSON lines (`jsonl`) or a table (`csv`)."""

    form: str = "jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyAudit:
    """Say whether the audit log is as it was written."""

    writes: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoEntry:
    """Put a flag's gates back as they were before an entry of the audit log."""

    writes: ClassVar[bool] = True

    entry: int
    reason: str = ""
    overrides: tuple[str, ...] = ()


Command = (
    SetFlag
    | GetFlag
    | ListFlags
    | DeleteFlag
    | ImportFlags
    | AutoDeployStatus
    | ReleaseCheck
    | RecordDeployment
    | ImportRollout
    | CreateRollout
    | ListRollouts
    | ShowRollout
    | ShowEvidence
    | StartRollout
    | ApproveStep
    | RejectStep
    | SkipStep
    | PromoteRollout
    | PauseRollout
    | ResumeRollout
    | RetryRollout
    | AbortRollout
    | ListAudit
    | ExportAudit
    | VerifyAudit
    | UndoEntry
    | ShowOnCall
    | AccessCommand
    | LockCommand
    | LifeCommand
    | PlanCommand
    | JobCommand
)
