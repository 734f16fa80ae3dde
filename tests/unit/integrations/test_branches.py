"""What does the branch of a clean-up hold, and what does it say is left?"""

from __future__ import annotations

from flagstaff.definitions import Project
from flagstaff.integrations.forge.branches import write_cleanup
from flagstaff.rollouts.plan import CleanupPart, Plan
from git_sandbox import GitSandbox

DEFINITION = "name: new_search\ntype: ops\ndefault_enabled: false\n"
ASKED = """\
from shop.flags import flags


def search():
    return 2 if flags.is_enabled("new_search") else 1
"""
ISSUE = "# Enable `new_search`\n\n- [ ] `/chatops run feature set new_search true`\n"
PLAN = Plan(flag="new_search", title="", steps=())


def written(root, **files):
    git = GitSandbox(root)
    git.commit("All", **{"config__feature_flags__ops__new_search.yml": DEFINITION}, **files)
    return write_cleanup(root, Project(), PLAN)


def test_documents_may_go_on_speaking_of_the_flag(tmp_path):
    found = written(tmp_path, **{"shop__search.py": ASKED, "docs__rollout.md": ISSUE})
    assert CleanupPart.REFERENCES in found.parts
    assert [each.partition(": ")[0] for each in found.residues] == [
        "docs/rollout.md:1",
        "docs/rollout.md:3",
    ]


def test_what_may_ask_for_the_flag_is_named_first(tmp_path):
    counted = ASKED + '\n\ndef counted():\n    count("new_search")\n'
    found = written(tmp_path, **{"shop__search.py": counted, "docs__rollout.md": ISSUE})
    assert CleanupPart.REFERENCES not in found.parts
    assert found.residues[0].startswith('shop/search.py:6: count("new_search")')
