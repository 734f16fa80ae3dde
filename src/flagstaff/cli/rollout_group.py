"""Which words about rollouts are there on the terminal only?"""

from __future__ import annotations

from flagstaff.cli.rollout_create import create
from flagstaff.cli.rollout_files import import_file
from flagstaff.cli.rollout_plans import edit, start
from flagstaff.cli.watching import watch
from flagstaff.commands import rollout_words

rollout = rollout_words.rollout.with_commands(
    {
        "create": create,
        "import": import_file,
        "start": start,
        "edit": edit,
        "watch": watch,
    }
)
