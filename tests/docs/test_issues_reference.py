"""The page about issues says what the importer does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flagstaff.definitions.project import Project
from flagstaff.issues import describe_import, import_issue

PAGE = (Path(__file__).parents[2] / "docs/reference/issues.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```markdown\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("issue", "report"), EXAMPLES)
def test_an_example_is_understood_as_the_page_says(issue, report):
    imported = import_issue(issue, project=Project(), known_flags={"new_navigation"})
    assert describe_import(imported) + "\n" == report


def test_there_are_examples():
    assert len(EXAMPLES) == 2
