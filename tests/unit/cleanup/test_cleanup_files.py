"""How YAML files and changelogs follow."""

from __future__ import annotations

from pathlib import Path

import pytest

from flagstaff.cleanup.changelog import changelog_entry, with_line
from flagstaff.cleanup.changes import diff_text
from flagstaff.cleanup.definition import without_entries
from flagstaff.cleanup.patterns import Conventions
from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree

LISTS = ("renames", "guards")


def settings(text):
    after = without_entries(text.encode(), "new", LISTS)
    return None if after is None else after.decode()


YAML = {
    "an item between others": (
        "guards:\n- flag: a\n  # d\n  x: 1\n# n\n- flag: new\n  y: |\n    a\n\n- flag: 'b'   # b\n",
        "guards:\n- flag: a\n  # d\n  x: 1\n\n- flag: 'b'   # b\n",
    ),
    "the last item takes its key along": (
        "a: 1\n# all of them\nrenames:\n  - {flag: new, old: x}\nb:  2  # two\n",
        "a: 1\nb:  2  # two\n",
    ),
    "lists in brackets": (
        "# top\nguards: [{flag: new}, {flag: b, x: 1}]\n",
        "# top\nguards: [{flag: b, x: 1}]\n",
    ),
    "other lists are left": ("flags:\n  - flag: new\n", "flags:\n  - flag: new\n"),
    "other names are left": ("guards:\n  - flag: newer\n", "guards:\n  - flag: newer\n"),
    "nothing left": ("guards:\n  - flag: new\n", ""),
    "line endings": ("a: 1\r\nguards:\r\n- flag: new\r\n", "a: 1\r\n"),
}


@pytest.mark.parametrize("name", YAML)
def test_the_settings_lose_the_flag_and_nothing_else(name):
    before, expected = YAML[name]
    assert settings(before) == expected


def test_what_is_no_yaml_is_left():
    assert settings("a: [\n") is None
    assert settings("- flag: new\n") == "- flag: new\n"


def test_only_the_definition_of_the_flag_is_deleted():
    own = Conventions()
    assert own.is_definition("config/feature_flags/new.yml", "new")
    assert own.is_definition("config/feature_flags/ops/deep/new.yaml", "new")
    assert not own.is_definition("config/feature_flags/newer.yml", "new")
    assert not own.is_definition("config/feature_flags_old/new.yml", "new")


def test_a_setting_file_left_empty_is_deleted():
    tree = MemoryTree({"flagstaff.yml": b"guards:\n  - flag: new\n"})
    plan = plan_in(tree, CleanupRequest(flag="new", keep=True))
    assert [(c.path, c.after) for c in plan.changes] == [("flagstaff.yml", None)]
    assert "+++ /dev/null" in diff_text(plan)


CHANGELOGS = {
    "an existing section": (
        "# Log\n\n## Unreleased\n\n### Removed\n\n* A\n\n### Fixed\n\n* B\n\n## 1.0\n\n* C\n",
        "# Log\n\n## Unreleased\n\n### Removed\n\n* A\n* T\n\n### Fixed\n\n* B\n\n## 1.0\n\n* C\n",
    ),
    "a new section in its place": (
        "## [Unreleased]\n\n### Added\n- A\n\n### Fixed\n\n- B\n\n## [1.0]\n",
        "## [Unreleased]\n\n### Added\n- A\n\n### Removed\n\n- T\n\n### Fixed\n\n- B\n\n## [1.0]\n",
    ),
    "an empty release": (
        "# Log\n\n## [Unreleased]\n\n## [1.0]\n\n[1.0]: https://example.org\n",
        "# Log\n\n## [Unreleased]\n\n### Removed\n\n- T\n\n## [1.0]\n\n[1.0]: https://example.org\n",
    ),
    "no release in the making": (
        "# Log\n\n## 1.0\n\n- A\n",
        "# Log\n\n## [Unreleased]\n\n### Removed\n\n- T\n\n## 1.0\n\n- A\n",
    ),
    "a plain list": ("News\n====\n\n- A\n", "News\n====\n\n- T\n- A\n"),
    "links at the end": (
        "## Unreleased\n\n- A\n\n[x]: https://example.org\n",
        "## Unreleased\n\n- A\n\n### Removed\n\n- T\n\n[x]: https://example.org\n",
    ),
    "a new file": ("# Changelog\n", "# Changelog\n\n## [Unreleased]\n\n### Removed\n\n- T\n"),
}


@pytest.mark.parametrize("name", CHANGELOGS)
def test_a_changelog_gets_one_line_once(name):
    before, expected = CHANGELOGS[name]
    assert with_line(before, "T") == expected
    assert with_line(expected, "T") == expected


FRAGMENTS = {
    (): "changes/new.removed.md",
    ("README.md",): "changes/new.removed.md",
    ("12.feature.rst", "14.removal.rst"): "changes/+new.removal.rst",
    ("menu.added.md",): "changes/new.removed.md",
    ("menu.yml",): "changes/new.yml",
}


@pytest.mark.parametrize("beside", FRAGMENTS)
def test_a_fragment_is_named_as_its_neighbours(beside):
    tree = MemoryTree({f"changes/{name}": b"x\n" for name in beside})
    path, content = changelog_entry(tree, Path("changes"), "new", 'Say "T"')
    assert path == FRAGMENTS[beside]
    assert content.endswith(b'title: "Say \\"T\\""\nmerge_request:\nauthor:\ntype: removed\n') or (
        content == b'Say "T"\n'
    )


def test_history_is_no_residue_but_code_is():
    files = {"CHANGELOG.md": b"new\n", "changes/1.md": b"new\n", "app/changes.py": b"# new\n"}
    plan = plan_in(MemoryTree(files), CleanupRequest(flag="new", keep=True))
    assert [residue.reference.path for residue in plan.residues] == ["app/changes.py"]
