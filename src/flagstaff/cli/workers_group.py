"""Which words about background jobs are there on the terminal only?"""

from __future__ import annotations

from flagstaff.cli.workers import workers as brokers
from flagstaff.commands import job_words
from flagstaff.commands.tree import SETTINGS, Tree

workers = Tree(
    "workers",
    commands={**brokers.commands, **job_words.workers.commands},
    context_settings=SETTINGS,
    help="Rename background jobs and lose none; put them off, or drop them.",
    short_help="Rename background jobs and lose none; put them off, or drop them.",
    epilog=job_words.workers.epilog,
)
