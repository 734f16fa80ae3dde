"""How functions are followed that do nothing but ask, and what a project declares of them."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.declared import conventions_of
from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.references import references_in
from flagstaff.cleanup.tree import MemoryTree
from flagstaff.errors import UsageError

CHECKS = '''"""What is on."""

from app.flags import flags


def is_fast(user):
    """Tell whether the fast path is open."""
    return flags.is_enabled("fast_path", user)


def is_slow(user):
    return not is_fast(user)


def other(user):
    return flags.is_enabled("other", user)
'''
CALLS = """from app import checks
from app.checks import is_fast as fast, is_slow, other


def run(user):
    if fast(user) and checks.is_fast(user):
        quick(user)
    if is_slow(user):
        slow(user)
    return other(user)
"""


def cleaned(files, *, keep=True):
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    plan = plan_in(tree, CleanupRequest(flag="fast_path", keep=keep))
    return {c.path: (c.after or b"").decode() for c in plan.changes}, plan


def test_functions_that_only_asked_are_followed_and_go():
    after, plan = cleaned({"app/checks.py": CHECKS, "app/run.py": CALLS})
    assert after["app/checks.py"] == (
        '"""What is on."""\n\nfrom app.flags import flags\n\n\n'
        'def other(user):\n    return flags.is_enabled("other", user)\n'
    )
    assert after["app/run.py"] == (
        "from app.checks import other\n\n\n"
        "def run(user):\n    quick(user)\n    return other(user)\n"
    )
    assert plan.residues == ()
    off, _ = cleaned({"app/checks.py": CHECKS, "app/run.py": CALLS}, keep=False)
    assert "    slow(user)\n    return" in off["app/run.py"]
    assert "quick" not in off["app/run.py"]


def test_a_function_that_is_taken_by_name_or_passed_on_stays():
    test = 'def test_it(mocker, on):\n    mocker.patch("app.checks.is_fast", return_value=on)\n'
    after, plan = cleaned({"app/checks.py": CHECKS, "app/run.py": CALLS, "tests/a.py": test})
    assert "app/run.py" not in after
    assert "def is_fast" in after["app/checks.py"]
    assert [r.reference.text for r in plan.residues] == ["return True"]
    passed = CALLS + "\n\nrun(key=fast)\n"
    after, _ = cleaned({"app/checks.py": CHECKS, "app/run.py": passed})
    assert "def is_fast" in after["app/checks.py"]
    assert "import is_fast as fast" in after["app/run.py"]


PATCHES = """from app.run import run


def test_on(mocker):
    mocker.patch("app.run.fast", return_value=True)
    mocker.patch("app.checks.is_slow", return_value=False)
    assert run(1)


def test_off():
    with patch("app.run.is_slow", return_value=True):
        assert run(2)
"""
DECORATED = (
    '@patch("app.run.is_slow", return_value=True)\ndef test_it(double):\n    assert run(3)\n'
)


def test_what_tests_have_a_function_answer_is_a_pin_of_the_flag():
    run = CALLS.replace("is_fast as fast", "is_fast").replace("if fast(user) and checks.", "if ")
    patches = PATCHES.replace("app.run.fast", "app.run.is_fast")
    after, plan = cleaned({"app/checks.py": CHECKS, "app/run.py": run, "tests/test_a.py": patches})
    assert after["tests/test_a.py"] == (
        "from app.run import run\n\n\ndef test_on(mocker):\n    assert run(1)\n"
    )
    assert "is_fast" not in after["app/checks.py"] + after["app/run.py"]
    assert [str(each.reference.kind) for each in plan.residues] == ["dropped"]
    helper = patches.replace("test_off", "helper")
    files = {"app/checks.py": CHECKS, "app/run.py": run, "tests/test_a.py": helper}
    after, plan = cleaned(files)
    assert 'with patch("app.run.is_slow", return_value=True):' in after["tests/test_a.py"]
    assert "override" in {str(each.reference.kind) for each in plan.residues}


def test_a_function_that_a_test_gets_a_double_of_stays():
    files = {"app/checks.py": CHECKS, "app/run.py": CALLS, "tests/test_a.py": DECORATED}
    after, _ = cleaned(files)
    assert "if is_slow(user):" in after["app/run.py"]
    assert "tests/test_a.py" not in after


def test_a_name_that_means_something_else_there_is_not_the_function():
    shadowed = "from app.checks import is_fast\n\n\ndef run(is_fast):\n    return is_fast(1)\n"
    after, _ = cleaned({"app/checks.py": CHECKS, "app/run.py": shadowed})
    assert "app/run.py" not in after


def test_lines_with_a_bare_answer_are_told_where_they_stand_in_the_end():
    calls = CALLS.replace("    return other(user)", "    return fast(user)")
    _, plan = cleaned({"app/checks.py": CHECKS, "app/run.py": calls})
    assert [(r.reference.path, r.reference.text) for r in plan.residues] == [
        ("app/run.py", "return True")
    ]


LATER = """from functools import cache

from app.flags import flags


async def is_fast(user):
    return await flags.get_boolean_value_async("fast_path", False, user)


@cache
def is_slow():
    return not flags.is_enabled("fast_path")
"""
AWAITED = """import asyncio

from app import later
from app.later import is_fast, is_slow


async def run(user):
    if await is_fast(user) and await later.is_fast(user):
        quick(user)
    if is_slow():
        slow(user)
"""


def test_functions_that_are_awaited_or_cached_are_followed_too():
    after, plan = cleaned({"app/later.py": LATER, "app/run.py": AWAITED})
    assert after["app/run.py"].endswith("async def run(user):\n    quick(user)\n")
    assert "def " not in after["app/later.py"]
    assert plan.residues == ()


@pytest.mark.parametrize(
    "line",
    [
        "    return await asyncio.gather(is_fast(user), other())\n",
        "    task = asyncio.create_task(later.is_fast(user))\n",
        "    return run_later(is_fast)\n",
    ],
)
def test_a_function_that_somebody_else_awaits_stays(line):
    after, plan = cleaned({"app/later.py": LATER, "app/run.py": AWAITED + line})
    assert line in after["app/run.py"]
    assert "async def is_fast(user):\n    return True\n" in after["app/later.py"]
    assert [r.reference.path for r in plan.residues] == ["app/later.py"]


@pytest.mark.parametrize(
    "call",
    [
        "await asyncio.gather({}, other())",
        "await asyncio.wait_for({}, 3)",
        "asyncio.create_task({})",
        "asyncio.run({})",
        "asyncio.as_completed([{}])",
        "handed_to({})",
    ],
)
def test_what_is_handed_to_somebody_who_waits_stays(call):
    call = call.format('client.get_boolean_value_async("fast_path", False)')
    source = f"async def run():\n    return {call}\n"
    after, plan = cleaned({"app/run.py": source})
    assert after == {}
    assert [r.reference.line for r in plan.residues] == [2]


def test_declared_functions_are_methods_and_awaited_too():
    source = """async def run(user):
    if await self.gate.fast_for(user) or await slow_for(user):
        a()
    return [gate.fast_for(user) and b(), await asyncio.gather(gate.fast_for(user))]
"""
    after, _ = cleaned({"pyproject.toml": DECLARED, "app/run.py": source})
    kept = "    return [b(), await asyncio.gather(gate.fast_for(user))]\n"
    assert after["app/run.py"] == f"async def run(user):\n    a()\n{kept}"


DECLARED = """
[tool.flagstaff.references]
calls = ["ask_for", {function = "closed", position = 1, negated = true}]
wrappers = {fast_for = "fast_path", slow_for = "!fast_path"}
"""


def test_what_a_project_declares_asks_for_the_flag():
    source = """\
def run(user):
    if ask_for("fast_path"):
        a()
    if closed(user, "fast_path"):
        b()
    if gate.fast_for(user):
        c()
    if slow_for(user):
        d()
"""
    script = "if (slowFor(user)) d();\nif (gate.fast_for(user)) c();\n"
    files = {"pyproject.toml": DECLARED, "app/run.py": source, "app/run.js": script}
    after, _ = cleaned(files)
    assert after["app/run.py"] == "def run(user):\n    a()\n    c()\n"
    assert after["app/run.js"] == "if (slowFor(user)) d();\nc();\n"
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    found = references_in(tree, "fast_path", conventions_of(tree))
    assert ("app/run.py", 6, "call") in {(r.path, r.line, r.kind.value) for r in found}


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ('calls = "ask"', "names no function"),
        ("calls = [{position = 1}]", "names no function"),
        ('calls = [{function = "a", position = "1"}]', "names no function"),
        ("handles = [1]", "no list of names"),
        ('wrappers = ["a"]', "no table of functions"),
        ("call = []", "unknown key 'call'"),
    ],
)
def test_what_says_nothing_is_refused_with_its_place(section, said):
    tree = MemoryTree({"pyproject.toml": f"[tool.flagstaff.references]\n{section}\n".encode()})
    with pytest.raises(UsageError, match=said) as refused:
        conventions_of(tree)
    assert "pyproject.toml: [tool.flagstaff.references]" in str(refused.value)
    assert refused.value.hint


def test_somebody_elses_mistake_is_none_of_ours():
    assert conventions_of(MemoryTree({"pyproject.toml": b"[tool"})) == conventions_of(
        MemoryTree({})
    )


def test_a_function_of_the_same_name_in_another_module_is_another():
    asks = 'def is_new(user):\n    return flags.is_enabled("{}", user)\n'
    call = "from {} import {}\n\n\ndef run(user):\n    if {}(user):\n        charge(user)\n"
    files = {
        "menu/flags.py": asks.format("fast_path"),
        "billing/flags.py": asks.format("billing_v2"),
        "menu/view.py": call.format("menu.flags", "is_new", "is_new"),
        "billing/view.py": call.format("billing.flags", "is_new", "is_new"),
        "billing/near.py": call.format(".flags", "is_new", "is_new"),
        "billing/owner.py": call.format("billing", "flags", "flags.is_new"),
        "billing/both.py": "try:\n    from menu.flags import is_new\nexcept ImportError:\n"
        "    from billing.flags import is_new\n\nnew = 1 if is_new(0) else 2\n",
    }
    after, _ = cleaned(files)
    assert after["menu/view.py"] == "def run(user):\n    charge(user)\n"
    assert not [path for path in after if path.startswith("billing/")]
    assert "menu/flags.py" in after, "it answers without asking, and stays for who calls it"
    assert "def is_new" in after["menu/flags.py"]
