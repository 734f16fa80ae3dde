"""How methods and properties are followed that do nothing but ask."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree

GIT = '''class Backend(Base):
    def clone(self):
        if self.use_fast_clone():
            a()
        return self.is_on

    def use_fast_clone(self):
        """Tell whether to."""
        return self.project.has_feature("fast_clone")

    @property
    def is_on(self):
        return not self.use_fast_clone()
'''
OFF = """class Backend(Base):
    def clone(self):
        return True

    @property
    def is_on(self):
        return True
"""
ON = OFF.replace("        return", "        a()\n        return", 1).replace("True", "False")
VIEW = (
    "def view(p, get):\n    if p.backend.use_fast_clone() or get().use_fast_clone():\n        b()\n"
)


def plan(*, keep=True, **files):
    tree = MemoryTree({f"app/{name}.py": text.encode() for name, text in files.items()})
    return plan_in(tree, CleanupRequest(flag="fast_clone", keep=keep))


def cleaned(**files):
    after = {c.path[4:-3]: (c.after or b"").decode() for c in plan(**files).changes}
    return [after.get(name, text) for name, text in files.items() if name != "keep"]


def test_methods_that_only_asked_are_followed_and_go_where_their_names_are_their_own():
    assert cleaned(git=GIT) == [ON]
    assert cleaned(git=GIT, keep=False) == [OFF]


def test_a_name_that_says_little_is_followed_within_its_class_only():
    view = "def view(backend):\n    return backend.is_on or {}.use_fast_clone()\n"
    assert cleaned(git=GIT, view=view, keep=False)[1] == view
    other = f"{GIT}\n\nclass Other(Library):\n    def f(self):\n        return self.is_on\n"
    assert "return self.is_on" in cleaned(git=other, keep=False)[0]
    child = f"{GIT}\n\nclass Child(Backend):\n    def f(self):\n        return self.is_on\n"
    assert "self.is_on" not in cleaned(git=child, keep=False)[0]


def test_a_method_is_asked_of_other_objects_and_what_makes_them_still_runs():
    git, view = cleaned(git=GIT, view=VIEW, keep=False)
    assert view == "def view(p, get):\n    if get().use_fast_clone():\n        b()\n"
    assert "def use_fast_clone(self):" in git
    assert plan(git=GIT, view=VIEW, keep=False).residues


TAKEN = {
    "another class has one of it": "class A:\n    def use_fast_clone(self):\n        return x\n",
    "a test has it answer something else": "backend.use_fast_clone.return_value = False\n",
    "a test puts another in its place": 'patch("app.git.Backend.use_fast_clone")\n',
    "something takes it by its name": 'getattr(backend, "use_fast_clone")()\n',
    "it is given a value": "backend.use_fast_clone = f\n",
    "a class has a field of that name": "class A:\n    use_fast_clone: bool = False\n",
}


@pytest.mark.parametrize("how", TAKEN)
def test_a_method_stays_where(how):
    git, other = cleaned(git=GIT, other=TAKEN[how])
    assert "if self.use_fast_clone():" in git
    assert other == TAKEN[how]


def test_a_method_that_a_template_asks_stays():
    files = {"app/git.py": GIT.encode(), "app/a.html": b"{{ b.use_fast_clone }} {{ b.is_on }}"}
    (change,) = plan_in(MemoryTree(files), CleanupRequest(flag="fast_clone", keep=False)).changes
    assert b"def use_fast_clone(self):" in change.after
    assert b"if self.use_fast_clone():" not in change.after


def test_a_name_that_is_given_along_is_no_reason_to_follow_it_from_elsewhere():
    other = "Backend(use_fast_clone=True)\nif x.use_fast_clone():\n    a()\n"
    git, after = cleaned(git=GIT, other=other)
    assert after == other
    assert "if self.use_fast_clone():" not in git


def test_a_hook_of_a_framework_is_asked_of_other_objects_as_before():
    source = (
        "class MayClone(BasePermission):\n    def has_clone_permission(self, user):\n"
        '        return is_enabled("fast_clone", user)\n'
    )
    view = "def view(p, user):\n    return p.has_clone_permission(user) and a()\n"
    assert cleaned(git=source, view=view)[1] == view
