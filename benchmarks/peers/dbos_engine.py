"""How does DBOS Transact poll the same rollouts? Runs in its own environment, until it is killed.

A rollout is a workflow: hear of signals for as long as a period is, then poll the guard in a step,
as its documentation has long-running loops. Settings are what suits it: WAL for its SQLite file, no
tracing, no limit of recoveries, more connections and threads than rollouts that move at once.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from dbos import DBOS

from engine_polls import Polls, arguments, report

chosen = arguments()
polls = Polls(chosen.rollouts, chosen.period)
if chosen.database.startswith("sqlite:///"):
    with sqlite3.connect(chosen.database.removeprefix("sqlite:///")) as file:
        file.execute("PRAGMA journal_mode = WAL")
DBOS(
    config={
        "name": "bench-rollouts",
        "system_database_url": chosen.database,
        "application_version": "1",
        "executor_id": "bench",
        "log_level": "ERROR",
    }
)


@DBOS.step()
async def set_gate(number, percentage):
    return {"flag": f"flag_{number}", "percentage": percentage}


@DBOS.step()
async def poll(number):
    return polls(number)


@DBOS.workflow(max_recovery_attempts=None)
async def rollout(number, period):
    await set_gate(number, 10)
    while True:
        if await DBOS.recv_async("signal", timeout_seconds=period) == "stop":
            return
        await poll(number)


async def begin():
    for number in range(chosen.rollouts):
        await DBOS.start_workflow_async(rollout, number, chosen.period)


async def main():
    DBOS.launch()
    threading.Thread(target=report, args=(polls, chosen), daemon=True).start()
    if not chosen.again:
        await begin()
    await asyncio.Event().wait()


logging.disable(logging.WARNING)
asyncio.run(main())
