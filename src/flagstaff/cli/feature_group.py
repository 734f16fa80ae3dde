"""Which words about flags are there on the terminal only?"""

from __future__ import annotations

from flagstaff.cli.import_words import import_file
from flagstaff.cli.referring import references
from flagstaff.commands import feature_words

_LOCAL = {"import": import_file, "references": references}

feature = feature_words.feature.with_commands(_LOCAL)
flag = feature_words.flag.with_commands(_LOCAL)
