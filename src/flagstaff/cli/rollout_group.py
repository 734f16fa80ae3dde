"""Which words about rollouts are there on the terminal only?"""

from __future__ import annotations

from flagstaff.cli.rollout_create import create
from flagstaff.cli.rollout_files import import_file
from flagstaff.cli.rollout_plans import edit, start
from flagstaff.cli.watching import watch
from flagstaff.commands import rollout_words
from flagstaff.commands.tree import SETTINGS, Tree

rollout = Tree(
    "rollout",
    commands={
        **rollout_words.rollout.commands,
        "create": create,
        "import": import_file,
        "start": start,
        "edit": edit,
        "watch": watch,
    },
    context_settings=SETTINGS,
    help=rollout_words.rollout.help,
    short_help=rollout_words.rollout.short_help,
    epilog=rollout_words.rollout.epilog,
)
