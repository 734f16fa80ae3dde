"""How does Procrastinate make the engine look?

Wake-ups become jobs, and a worker in this process does jobs of any server. The built-in loop stays,
slower: while jobs are late, lost or impossible, rollouts are late and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException

from flagstaff.engine.complaints import Complaints
from flagstaff.engine.driver import BuiltIn, Driven
from flagstaff.engine.procrastinate_jobs import QUEUE, TASK, JobQueue, WakeUp, prepare
from flagstaff.errors import Unavailable
from flagstaff.services.clock import elapsed

CONNECTIONS = 3
"""The most that jobs take turns with; one more hears of new ones."""

AT_A_TIME = 10
"""Jobs that wait for one look together."""

LONGEST_END = 30.0
"""Real seconds that jobs under way get when the server ends."""

SAID_AGAIN = 1.0
"""Real seconds before what does not end is told so once more."""

AGAIN = timedelta(seconds=1)
"""Before a rollout is looked at again that was due and somebody else's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Real seconds.

    `sweep` lies between looks that no job asked for, `poll` between looks for jobs whose time has
    come, `heartbeat` between signs of life; after `stalled` without one the jobs of a worker are
    done again; after `again` what does not work is tried again.
    """

    sweep: float = 10.0
    poll: float = 1.0
    heartbeat: float = 5.0
    stalled: float = 20.0
    again: float = 5.0


class SharedLooks:
    """One look at a time; who comes while others wait shares the next one."""

    def __init__(self, engine: Driven) -> None:
        self._engine = engine
        self._turn = threading.Lock()
        self._began_at = float("-inf")

    def look(self) -> None:
        """Look, unless a look has begun and ended since this was asked."""
        asked_at = elapsed()
        with self._turn:
            if self._began_at > asked_at:
                return
            self._began_at = elapsed()
            self._engine.look()

    def next_look(self, number: int) -> datetime | None:
        """Return when a rollout wants to be looked at again."""
        return self._engine.next_look(number)


class Procrastinate:
    """Wakes an engine by jobs in PostgreSQL.

    Args:
        place: the database as `psycopg` takes it, in the schema of Procrastinate's tables.
        schema: the name of that schema.
        wall: the real time of a moment of the engine's clock.
        pace: how often what is done.
    """

    def __init__(
        self,
        place: str,
        schema: str,
        wall: Callable[[datetime], datetime],
        pace: Pace | None = None,
    ) -> None:
        self._place, self._schema, self._wall = place, schema, wall
        self._pace = pace or Pace()
        self._sweeper = BuiltIn(poll=self._pace.sweep)
        self._complaints = Complaints()
        self._stopping = threading.Event()
        self._guard = threading.Lock()
        self._wanted: dict[str, WakeUp] = {}
        self._ready: Callable[[], object] | None = None
        self._end: Callable[[], object] | None = None
        self._looks: SharedLooks | None = None
        self._busy = 0
        self._thread = threading.Thread(target=self._run, name="flagstaff-jobs", daemon=True)

    def start(self, engine: Driven) -> None:
        """Begin; the first look needs no job."""
        jobs = logging.getLogger("procrastinate")
        if jobs.level == logging.NOTSET:
            jobs.setLevel(logging.WARNING)  # it says four lines for each job
        self._looks = SharedLooks(engine)
        self._sweeper.start(self._looks)
        self._thread.start()

    def wake(self, number: int | None = None, at: datetime | None = None) -> None:
        """Have a job for this soon; without Procrastinate, look here at once."""
        self._want(WakeUp(number=number, at=None if at is None else self._wall(at)))

    def stop(self) -> None:
        """Finish the look at hand and end; waiting jobs stay for the others."""
        self._stopping.set()
        with self._guard:
            end = self._end
        if end is not None:
            with contextlib.suppress(RuntimeError):  # it has ended already
                end()
        self._sweeper.stop()
        if self._thread.ident is not None:
            self._thread.join(LONGEST_END)

    def _run(self) -> None:
        while not self._stopping.is_set():
            with self._complaints.about("Procrastinate"), _explained():
                asyncio.run(self._serve())
            self._sweeper.wake()  # for what was wanted meanwhile
            self._stopping.wait(self._pace.again)

    async def _serve(self) -> None:
        loop, ending = asyncio.get_running_loop(), asyncio.Event()
        with self._guard:
            self._end = partial(loop.call_soon_threadsafe, ending.set)
        if self._stopping.is_set():
            return
        await prepare(self._place, self._schema)
        connector = PsycopgConnector(
            conninfo=self._place, min_size=1, max_size=CONNECTIONS, timeout=5.0
        )
        app = App(connector=connector)
        app.task(name=TASK, queue=QUEUE)(self._do)
        async with app.open_async():  # which is not to be cancelled: it may never end then
            queue = JobQueue(app.job_manager)
            parts = [ending.wait(), self._work(app), self._defer(queue), self._tidy(queue)]
            tasks = {asyncio.ensure_future(each) for each in parts}
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await self._end_all(tasks)
            for each in done:
                each.result()

    async def _end_all(self, tasks: set[asyncio.Task[Any]]) -> None:
        """End what goes on, after the jobs under way.

        Python 3.11 may lose a cancellation where a wait ends at the same moment, so it is said
        again.
        """
        for each in tasks:
            each.cancel()
        while pending := {each for each in tasks if not each.done()}:
            await asyncio.wait(pending, timeout=SAID_AGAIN)
            if not self._busy:
                for each in pending:
                    each.cancel()

    async def _work(self, app: App) -> None:
        await app.run_worker_async(
            queues=[QUEUE],
            name=QUEUE,
            concurrency=AT_A_TIME,
            fetch_job_polling_interval=self._pace.poll,
            update_heartbeat_interval=self._pace.heartbeat,
            stalled_worker_timeout=self._pace.stalled,
            delete_jobs="always",
            install_signal_handlers=False,
        )
        raise ConnectorException("its worker has ended")

    async def _defer(self, queue: JobQueue) -> None:
        loop, news = asyncio.get_running_loop(), asyncio.Event()
        with self._guard:
            self._ready = partial(loop.call_soon_threadsafe, news.set)
        try:
            while True:
                with self._guard:
                    wanted, self._wanted = self._wanted, {}
                if wanted:
                    await queue.put(wanted.values())
                await news.wait()
                news.clear()
        finally:
            with self._guard:
                self._ready = None

    async def _tidy(self, queue: JobQueue) -> None:
        while True:
            await queue.tidy(self._pace.stalled)
            await asyncio.sleep(self._pace.heartbeat)

    def _do(self, number: int | None) -> None:
        """Do one job: look, and have a job for the rollout's next time."""
        looks = self._looks
        if looks is None or self._stopping.is_set():
            return
        with self._counted(), self._complaints.about("looking"):
            looks.look()
            at = looks.next_look(number) if number is not None else None
            if at is not None:
                soonest = datetime.now(UTC) + AGAIN
                self._want(WakeUp(number=number, at=max(self._wall(at), soonest)))

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._guard:
            self._busy += 1
        try:
            yield
        finally:
            with self._guard:
                self._busy -= 1

    def _want(self, wanted: WakeUp) -> None:
        with self._guard:
            ready = self._ready
            if ready is not None or wanted.at is not None:
                self._wanted[wanted.queueing_lock] = wanted
        if ready is not None:
            with contextlib.suppress(RuntimeError):  # it has ended this very moment
                ready()
        elif wanted.at is None:
            self._sweeper.wake()


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Say in one line what keeps Procrastinate from its work.

    Raises:
        Unavailable: the database does.
    """
    try:
        yield
    except (ConnectorException, psycopg.Error) as exc:  # a pool's time-out is one too
        words = " ".join(str(exc.__cause__ or exc).split())
        raise Unavailable(
            f"no jobs can be kept: {words}",
            hint="rollouts go on without; the role needs CREATE on the database, once",
        ) from exc
