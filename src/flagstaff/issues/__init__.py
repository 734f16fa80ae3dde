"""How is a rollout written as a Markdown issue, and how does the issue follow the rollout?"""

from flagstaff.issues.answers import BoxAnswer, Said, box_answers
from flagstaff.issues.follow import follow, unfollow
from flagstaff.issues.imported import Imported, LineReport, describe_import
from flagstaff.issues.importer import flag_named_in, import_issue

__all__ = [
    "BoxAnswer",
    "Imported",
    "LineReport",
    "Said",
    "box_answers",
    "describe_import",
    "flag_named_in",
    "follow",
    "import_issue",
    "unfollow",
]
