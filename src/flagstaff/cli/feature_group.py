"""Which words about flags are there on the terminal only?"""

from __future__ import annotations

from flagstaff.cli.import_words import import_file
from flagstaff.cli.referring import references
from flagstaff.commands import feature_words
from flagstaff.commands.tree import SETTINGS, Tree


def _with_local(words: Tree) -> Tree:
    return Tree(
        words.name,
        commands={**words.commands, "import": import_file, "references": references},
        context_settings=SETTINGS,
        help=words.help,
        short_help=words.short_help,
        epilog=words.epilog,
    )


feature = _with_local(feature_words.feature)
flag = _with_local(feature_words.flag)
