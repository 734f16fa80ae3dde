"""Every plan in the documents can be read, and every key and kind has its row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from fakes import definitions_in
from flagstaff.definitions import Project, load_project
from flagstaff.definitions.plans import Surroundings, parameters_of, read_plan, template_names
from flagstaff.definitions.plans.documents import KEYS
from flagstaff.definitions.plans.kinds import KINDS
from flagstaff.definitions.plans.steps import COMMON, RAMP

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("howto/write-a-plan.md", "reference/plan-files.md")
EXAMPLES = [
    text
    for page in PAGES
    for text in re.findall(r"```yaml\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
]
REFERENCE = (DOCS / "reference/plan-files.md").read_text()
ANSWERS = {"milestone": "15.2", "merge-commit-of-your-feature": "abc"}


@pytest.fixture
def around(tmp_path):
    return Surroundings(
        root=tmp_path, project=Project(), known_flags=definitions_in(tmp_path), offers=ANSWERS
    )


def test_there_are_examples():
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_can_be_read(text, around, tmp_path):
    if "plans" in yaml.safe_load(text):
        (tmp_path / "flagstaff.yml").write_text(text)
        assert load_project(tmp_path).plans.by_group
        return
    if "flag" not in yaml.safe_load(text):
        (tmp_path / "plans/templates").mkdir(parents=True)
        (tmp_path / "plans/templates/our_team.yml").write_text(text)
        text = "flag: new_navigation\nextends: our_team\n"
    assert read_plan(text, around).plan.steps


def test_every_key_has_its_row():
    for key in (*KEYS, *COMMON, *(kind.word for kind in KINDS), RAMP):
        assert f"`{key}`" in REFERENCE, key
    for kind in KINDS:
        for key in kind.keys:
            assert f"`{key}`" in REFERENCE, f"{kind.word}.{key}"


def test_every_template_has_its_row(around):
    for name in template_names(around.root, around.project):
        assert f"| `{name}` |" in REFERENCE
        for parameter in parameters_of(name, around):
            assert f"`{parameter}`" in REFERENCE
