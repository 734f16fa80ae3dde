"""Which parts of a test go with the answer that goes, and of which only the pin does."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.changes import ReferenceKind
from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree

OFF = "override_flag('new_menu', False)"
HEAD = "def test_it(app, client, mock):\n"


def plan(body):
    tree = MemoryTree({"tests/test_a.py": (HEAD + body).encode()})
    return plan_in(tree, CleanupRequest(flag="new_menu", keep=True))


def clean(body):
    source = HEAD + body
    text = next(((c.after or b"").decode() for c in plan(body).changes), source)
    assert text.startswith(HEAD)
    return text.removeprefix(HEAD)


def unpinned(body):
    kinds = [each.reference for each in plan(body).residues]
    return [each.line for each in kinds if each.kind is ReferenceKind.UNPINNED]


CONTAINED = {
    "an assertion": "        assert a()\n",
    "a method of a test case": "        self.assertEqual(a(), 1)\n",
    "an error": "        with pytest.raises(Error):\n            a()\n",
    "a mock": "        a()\n        mock.assert_called_once()\n",
    "a name that is bound anew": "        x = a()\n        assert x\n    x = b()\n    assert x\n",
}


@pytest.mark.parametrize("what", CONTAINED)
def test_a_part_that_looks_at_what_it_does_goes_as_a_whole(what):
    body = f"    with {OFF}:\n{CONTAINED[what]}    assert c()\n"
    rest = "    x = b()\n    assert x\n    assert c()\n" if "anew" in what else "    assert c()\n"
    assert clean(body) == rest
    assert unpinned(body) == []


OPEN = {
    "nothing is looked at within it": "        a()\n    mock.assert_called_once()\n",
    "a name": "        x = a()\n        assert x\n    assert x.y\n    assert c()\n",
    "something of an object": (
        "        self.x = a()\n        assert self.x\n    assert self.x.y\n    assert c()\n"
    ),
    "an entry": "        app['x'] = a()\n        assert a()\n    assert app\n    assert c()\n",
    "a name that is read to be bound": (
        "        x = a()\n        assert x\n    x = b(x)\n    assert x\n    assert c()\n"
    ),
    "a file": (
        "        with open('a') as x:\n            assert x\n    assert x.closed\n    assert c()\n"
    ),
}


@pytest.mark.parametrize("what", OPEN)
def test_of_a_part_that_the_rest_looks_at_only_the_pin_goes(what):
    body = f"    with {OFF}:\n{OPEN[what]}"
    inside, _, outside = OPEN[what].partition("\n    ")
    lines = OPEN[what].splitlines(keepends=True)
    assert inside
    assert outside
    expected = "".join(line[4:] if line.startswith(" " * 8) else line for line in lines)
    assert clean(body) == expected
    assert unpinned(body) == [1]


def test_what_is_pinned_beside_the_flag_stays_around_what_stays():
    body = (
        '    with set_config_values(app, {"A": 1, "new_menu": False}):\n        a()\n'
        "    mock.assert_called_once()\n"
    )
    assert clean(body) == body.replace(', "new_menu": False', "")
    assert unpinned(body) == [1]


def test_a_block_around_nothing_else_goes_with_it():
    for around in ("freeze_time(now)", "pytest.raises(Error)"):
        inner = "assert a()" if "freeze" in around else "a()"
        body = f"    with {around}:\n        with {OFF}:\n            {inner}\n    assert c()\n"
        assert clean(body) == "    assert c()\n"
    body = f"    with freeze_time(now):\n        with {OFF}:\n            a()\n    assert c()\n"
    assert clean(body) == "    with freeze_time(now):\n        a()\n    assert c()\n"


def test_what_the_winning_part_makes_anew_is_not_missed():
    part = "        x = client.get()\n        assert x\n"
    body = f"    with {OFF}:\n{part}    with override_flag('new_menu', True):\n{part}"
    assert clean(body) == "    x = client.get()\n    assert x\n"
