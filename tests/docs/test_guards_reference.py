"""Is every example on the pages about guards one that Flagstaff takes?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flagstaff.definitions.project_file import check_project

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("reference/guards.md", "howto/watch-prometheus.md", "howto/watch-other-metrics.md")
EXAMPLES = [
    (page, example)
    for page in PAGES
    for example in re.findall(r"(?s)```yaml\n(.*?)```", (DOCS / page).read_text())
]


def test_there_are_examples():
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize(("page", "example"), EXAMPLES)
def test_an_example_has_no_problem(tmp_path, page, example):
    del page
    (tmp_path / "flagstaff.yml").write_text(example)
    project, problems = check_project(tmp_path)
    assert (problems.errors, problems.warnings) == ((), ())
    assert project.guards
