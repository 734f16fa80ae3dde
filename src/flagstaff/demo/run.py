"""What does one see who has five minutes? A real application, and the rollout of its flag."""

from __future__ import annotations

import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flagstaff.commands.model import ImportRollout, ShowRollout
from flagstaff.commands.remote import Server
from flagstaff.definitions import load_project
from flagstaff.demo.broker import waiting_jobs
from flagstaff.demo.ledger import Ledger, LedgerReader
from flagstaff.demo.people import Team
from flagstaff.demo.plane import ControlPlane
from flagstaff.demo.processes import Application
from flagstaff.demo.repository import Repository, create_repository
from flagstaff.demo.story import Story
from flagstaff.demo.train import Train
from flagstaff.errors import Unavailable

Say = Callable[[str], None]

LOOK = 0.3
"""Real seconds between looks at the rollout."""

DRAIN = 60.0
"""Real seconds in which every job has to end after traffic has stopped."""

TERMINATED = 143

ANSWERS = {"milestone": "15.2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What can be chosen.

    Args:
        speed: how many times as fast as real time; 1440 makes a day of a minute.
        once: end when the rollout is over.
        interactive: leave approvals and the merge to whoever watches.
        broker: `redis://…`; empty for the embedded one.
        breaks: `new-workers` makes the jobs under their new names fail.
        issue: a rollout issue to run instead of the demo's own.
        port: of the dashboard; 0 for 8080 or the next free one.
        folder: where the repository goes; a temporary folder by default.
    """

    speed: float = 1440.0
    once: bool = False
    interactive: bool = False
    broker: str = ""
    breaks: str = ""
    issue: Path | None = None
    port: int = 0
    folder: Path | None = None


def run_demo(options: DemoOptions, say: Say) -> int:
    """Run it and return 0 when the rollout ended as it should and no job was lost."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    with _folder(options) as folder, ExitStack() as running:
        demo = _start(options, folder, running, say)
        phase = demo.follow()
        good = demo.account(phase)
        if not options.once:
            say(f"\nthe dashboard stays at {demo.url}; end with Ctrl-C")
            demo.linger()
    return 0 if good else 1


def _start(options: DemoOptions, folder: Path, running: ExitStack, say: Say) -> _Demo:
    port = _free_port()
    chat = f"http://127.0.0.1:{port}/chat"
    repository = create_repository(folder / "integrations", webhook=chat, broker=options.broker)
    say(f"repository  {repository.root}")
    plane = ControlPlane(repository.root, speed=options.speed, port=options.port)
    running.callback(plane.stop)
    url = plane.start()
    say(f"dashboard   {url}")
    project = load_project(repository.root)
    train = Train(repository.root, plane.server("release-train"), [r.old for r in project.renames])
    commit = repository.commits[-1]
    application = Application(
        checkout=train.checkout(commit),
        state=repository.root,
        port=port,
        broker=options.broker or None,
        environment={
            "FLAGSTAFF_URL": url,
            "FLAGSTAFF_TOKEN_FILE": str(repository.root / ".flagstaff" / "token"),
            "FLAGSTAFF_ENVIRONMENT": "production",
            "DEMO_BREAK": options.breaks,
        },
    )
    running.callback(application.stop)
    application.start()
    train.record(commit)
    say(f"application {application.url}, {len(application.workers)} workers, jobs flowing")
    return _Demo(options, repository, plane, application, train, say)


class _Demo:
    """One demo under way."""

    def __init__(
        self,
        options: DemoOptions,
        repository: Repository,
        plane: ControlPlane,
        application: Application,
        train: Train,
        say: Say,
    ) -> None:
        self._options = options
        self._repository = repository
        self._plane = plane
        self._application = application
        self._train = train
        self._say = say
        self._ledger = LedgerReader(application.log_folder)

    @property
    def url(self) -> str:
        """Return the dashboard's address."""
        return self._plane.server().url

    def follow(self) -> str:
        """Import the issue, run it to its end, and return the phase it ended in."""
        path = self._issue()
        server = self._plane.server("dana")
        text = path.read_bytes().decode()
        command = ImportRollout(text=text, path=str(path), placeholders=ANSWERS, start=True)
        number = int(str(server.execute(command).data["rollout"]))
        self._say(f"issue       {path}\nrollout     {self.url}/rollouts/{number}\n")
        team = Team(self._repository.root, server)
        story = Story(self._say)
        while True:
            rollout = self._look(server, number)
            story.tell(rollout)
            if rollout["phase"] in {"completed", "rolled_back"}:
                return str(rollout["phase"])
            if self._options.interactive:
                story.remark(self._asked(rollout), once=True)
            else:
                story.remark(team.look(rollout))
            story.remark(self._train.run(self._application))
            time.sleep(LOOK)

    def _asked(self, rollout: Mapping[str, Any]) -> str:
        """Return what the rollout waits for from whoever watches."""
        step = next((each for each in rollout["steps"] if each["id"] == rollout["step"]), None)
        if step is None:
            return ""
        if step["kind"] == "AwaitMerge" and rollout["cleanup"]:
            branch = rollout["cleanup"]["branch"]
            return f"your turn: git -C {self._repository.root} merge --no-ff {branch}"
        if step["status"] == "waiting":
            return f"your turn: {step['title']}; answer at {self.url}/rollouts/{rollout['rollout']}"
        return ""

    def account(self, phase: str) -> bool:
        """Stop the traffic, let every job end, count them, and return whether all is well."""
        self._application.set_traffic(0)
        ledger = self._drained()
        finished = sum(ledger.succeeded.values()) + sum(ledger.failed.values())
        enqueued = ledger.enqueued
        self._say(f"\n{'jobs':<31}  enqueued succeeded    failed")
        for name in sorted(enqueued):
            counts = (books.get(name, 0) for books in (enqueued, ledger.succeeded, ledger.failed))
            self._say(f"  {name:<29}" + "".join(f"{count:>10}" for count in counts))
        self._say(
            f"{sum(enqueued.values())} jobs enqueued, {finished} finished, "
            f"{len(ledger.lost)} lost, {len(ledger.doubled)} doubled"
        )
        wanted = "rolled_back" if self._options.breaks else "completed"
        self._say(f"the rollout {phase.replace('_', ' ')}")
        return phase == wanted and not ledger.lost and ledger.settled

    def linger(self) -> None:
        """Stay until somebody interrupts."""
        self._application.set_traffic(10)
        try:
            while True:
                self._plane.revive()
                time.sleep(1)
        except KeyboardInterrupt:
            self._say("")

    def _issue(self) -> Path:
        given = self._options.issue
        if given is None:
            return self._repository.rollout_issue
        path = self._repository.root / "var" / given.name
        shutil.copyfile(given, path)
        return path

    def _look(self, server: Server, number: int) -> Mapping[str, Any]:
        try:
            return server.execute(ShowRollout(rollout=number)).data
        except Unavailable:
            if self._plane.revive():
                self._say("the control plane had died; it is back and goes on where it was")
            return server.execute(ShowRollout(rollout=number)).data

    def _drained(self) -> Ledger:
        deadline = time.monotonic() + DRAIN
        while True:
            waiting = waiting_jobs(self._application.broker)
            ledger = self._ledger.read(waiting, now=datetime.now(UTC))
            if ledger.settled or time.monotonic() > deadline:
                return ledger
            time.sleep(LOOK)


@contextmanager
def _folder(options: DemoOptions) -> Iterator[Path]:
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
        yield options.folder.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="flagstaff-demo-") as folder:
        yield Path(folder).resolve()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
