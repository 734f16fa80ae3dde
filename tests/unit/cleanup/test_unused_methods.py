"""Which methods go when only the removed code called them, and which may be called by others."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree

SOURCE = """import json


class Writer({bases}):
    def write(self):
        if is_enabled("new_menu"):
            self.{new}()
        else:
            self.{old}()

    def {new}(self):
        a()

    def {old}(self):
        self._deeper(json)

    def _deeper(self, x):
        b(x)
"""


def cleaned(source, *, keep=True, **files):
    files = {"app/a.py": source, **{f"app/{k}.py": text for k, text in files.items()}}
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    plan = plan_in(tree, CleanupRequest(flag="new_menu", keep=keep))
    return next((c.after or b"").decode() for c in plan.changes if c.path == "app/a.py")


@pytest.mark.parametrize(
    ("bases", "new", "old"),
    [("Base", "_new", "_old"), ("", "new", "old"), ("object", "do", "_y")],
)
def test_a_method_that_only_the_losing_side_called_goes_with_all_it_called(bases, new, old):
    source = SOURCE.format(bases=bases, new=new, old=old)
    assert cleaned(source) == (
        f"class Writer({bases}):\n    def write(self):\n        self.{new}()\n\n"
        f"    def {new}(self):\n        a()\n"
    )
    off = cleaned(source, keep=False)
    assert f"def {new}" not in off
    assert f"def {old}(self):\n        self._deeper(json)" in off


PRIVATE = SOURCE.format(bases="Base", new="_new", old="_old")
KEPT = {
    "a framework may call it": SOURCE.format(bases="Base", new="new", old="old"),
    "the class below may call it": PRIVATE.replace("(json)", "(json)\n        super()._old()"),
    "it is registered": PRIVATE.replace("    def _old", "    @register\n    def _old"),
    "the class itself still calls it": PRIVATE.replace("a()", "self._old()"),
}


@pytest.mark.parametrize("why", KEPT)
def test_a_method_stays_where(why):
    assert "old(self):" in cleaned(KEPT[why])


@pytest.mark.parametrize(
    "line", ["x._old()", 'getattr(x, "_old")', "class B(Writer):\n    _old = 1"]
)
def test_a_method_that_something_else_names_stays(line):
    assert "def _old(self):" in cleaned(PRIVATE, b=f"{line}\n")


def test_a_method_that_nothing_called_before_stays():
    source = PRIVATE.replace("            self._old()", "            pass")
    assert "def _old(self):" in cleaned(source)
