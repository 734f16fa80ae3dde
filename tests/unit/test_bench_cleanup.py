"""The judge of the clean-up says wrong when it is."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

PLACE = Path(__file__).parents[2] / "benchmarks" / "cleanup_judge.py"
SPEC = importlib.util.spec_from_file_location("cleanup_judge", PLACE)
module = importlib.util.module_from_spec(SPEC)
sys.modules["cleanup_judge"] = module
SPEC.loader.exec_module(module)
Verdict, judge = module.Verdict, module.judge

BEFORE = b"import x\n\nif x.flag():\n    a()\nelse:\n    b()\nc()\n"


@pytest.mark.parametrize(
    ("ours", "person", "verdict"),
    [
        (b"a()\nc()\n", b"a()\nc()\n", Verdict.EQUAL),
        (b"a( )\nc()\n", b"# now always\na()\nc()\n", Verdict.SAME),
        (b"import x\n\na()\nc()\n", b"a()\nc()\n", Verdict.RESIDUE),
        (BEFORE, b"a()\nc()\n", Verdict.NOTHING),
        (b"a()\n", b"a()\nc()\n", Verdict.WRONG),
        (b"a()\nd()\nc()\n", b"a()\nc()\n", Verdict.WRONG),
        (b"a(\nc()\n", b"a()\nc()\n", Verdict.WRONG),
        # An import that the person forgot is no fault, though the files differ.
        (b"a()\nc()\n", b"import x\n\na()\nc()\n", Verdict.RESIDUE),
    ],
)
def test_a_verdict_is_what_the_files_show(ours, person, verdict):
    assert judge({"a.py": BEFORE}, {"a.py": ours}, {"a.py": person}, ()).verdict is verdict


def test_what_was_reported_is_not_wrong():
    files = [{"a.py": b"return x.flag()\n"}, {"a.py": b"return True\n"}, {"a.py": b"pass\n"}]
    assert judge(*files, ()).verdict is Verdict.WRONG
    assert judge(*files, {"return True"}).verdict is Verdict.RESIDUE


def test_an_entry_that_was_reported_is_not_wrong_either():
    ours = b'a = {"outer": {"flag": True}}\n'
    files = [{"a.py": each} for each in (b'a = {"outer": {"flag": ask()}}\n', ours, b"a = {}\n")]
    assert judge(*files, ()).verdict is Verdict.WRONG
    assert judge(*files, {'"other": True,'}).verdict is Verdict.WRONG
    assert judge(*files, {'"flag": True,'}).verdict is Verdict.RESIDUE
