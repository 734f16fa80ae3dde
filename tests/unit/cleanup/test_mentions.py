"""Is it known which of many flags the code still mentions?"""

from __future__ import annotations

import pytest

from flagstaff.cleanup.mentions import mentioned
from flagstaff.errors import NotFound

FLAGS = ("in_python", "in_script", "in_docs", "in_yaml", "nowhere", "part", "Job::Part", "Job")
FOLDER = "config/feature_flags"


FILES = {
    "app/x.py": "if flags.is_enabled('in_python'): ...\nparts = 1\n",
    "app/x.js": "if (features.inScript) { drop(); }\n",
    "docs/x.md": "`in_docs` is a flag\n",
    f"{FOLDER}/ops/in_yaml.yml": "name: in_yaml\n",
    "app/jobs.txt": "run Job::Part now\n",
}


@pytest.fixture
def root(git_sandbox):
    git_sandbox.commit("everything", **FILES)
    return git_sandbox.root


def test_flags_are_found_as_whole_words_in_code_alone(root):
    found = mentioned(root, FLAGS, leave_out=(FOLDER,))
    assert found == {"in_python", "in_script", "Job::Part", "Job"}


def test_files_that_are_not_left_out_count(root):
    assert "in_yaml" in mentioned(root, FLAGS)
    assert mentioned(root, ()) == frozenset()
    assert mentioned(root, ("nowhere",)) == frozenset()


def test_a_project_in_a_folder_of_the_repository_leaves_out_its_own(git_sandbox):
    files = {"shop/config/ops/a_flag.yml": "name: a_flag\n", "lib/x.py": "other_flag = 1\n"}
    git_sandbox.commit("everything", **files)
    shop = git_sandbox.root / "shop"
    assert mentioned(shop, ("a_flag", "other_flag"), leave_out=("config",)) == {"other_flag"}


def test_without_a_repository_there_is_nothing_to_be_read(tmp_path):
    with pytest.raises(NotFound):
        mentioned(tmp_path, ("x",))
