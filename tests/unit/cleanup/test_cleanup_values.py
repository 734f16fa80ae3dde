"""Only where a truth is asked for is an answer put in; what may be more than one is left."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree


def plan(source, *, keep=True):
    tree = MemoryTree({"app/a.py": source.encode()})
    return plan_in(tree, CleanupRequest(flag="new_menu", keep=keep))


def clean(source, *, keep=True):
    return next(((c.after or b"").decode() for c in plan(source, keep=keep).changes), source)


LEFT = [
    'if os.getenv("new_menu") == "beta":\n    a()\n',
    'if os.environ.get("new_menu", "").lower() == default:\n    a()\n',
    'if config["new_menu"]["limit"]:\n    a()\n',
    "if features.new_menu(user):\n    a()\n",
    'get_flag("new_menu").save()\n',
    'if get_feature_limit("new_menu") > 10:\n    a()\n',
    'for u in get_feature_users("new_menu"):\n    a()\n',
    'x = [u for u in get_feature_users("new_menu")]\n',
    'if has_feature("new_menu").limit:\n    a()\n',
    'if flags.is_enabled("new_menu").limit:\n    a()\n',
    'if "x" in settings.new_menu:\n    a()\n',
    "if settings.new_menu is None:\n    a()\n",
    "if 1 < settings.new_menu < 3:\n    a()\n",
    "x = settings.new_menu + 1\n",
    "x = -settings.new_menu\n",
    "f(*settings.new_menu)\n",
    "f(limit=settings.new_menu)\n",
    "return_to(settings.new_menu)\n",
    "x = [*settings.new_menu]\n",
    "x = {**settings.new_menu}\n",
    'with get_feature("new_menu") as x:\n    a()\n',
    'async def f():\n    (await get_flag("new_menu")).save()\n',
    'def f(x):\n    return (x or get_flag("new_menu")).name\n',
    'def f(x):\n    y = get_flag("new_menu")\n    y.save()\n',
    'def f(x):\n    y = get_flag("new_menu")\n    return y\n',
    'def f(x):\n    y = get_flag("new_menu")\n    if y:\n        return y.limit\n',
    'def limit():\n    return get_feature("new_menu")\n',
    "class A:\n    x = settings.new_menu\n",
    'toggle("new_menu")\n',
    'if nav.is_active("new_menu"):\n    a()\n',
    'if is_active("new_menu"):\n    a()\n',
    'if plugins.is_plugin_enabled("new_menu"):\n    a()\n',
    'if user.is_on("new_menu"):\n    a()\n',
    'if user.get_setting("new_menu"):\n    a()\n',
    'if query.get_option("new_menu"):\n    a()\n',
    'NEW = FeatureRequest("new_menu")\nif NEW.is_active():\n    a()\n',
    'check_feature("new_menu")\n',
]


@pytest.mark.parametrize("source", LEFT)
@pytest.mark.parametrize("keep", [True, False])
def test_what_may_be_more_than_a_truth_is_left_and_reported(source, keep):
    left = plan(source, keep=keep)
    assert left.changes == ()
    assert left.residues


TRUTHS = {
    'def f():\n    y = get_flag("new_menu")\n    return 1 if y and not y else 2\n': (
        "def f():\n    return 2\n"
    ),
    "def f(x):\n    y = settings.new_menu and x\n    if y:\n        a()\n": (
        "def f(x):\n    y = x\n    if y:\n        a()\n"
    ),
    "def is_new():\n    return settings.new_menu\n": "def is_new():\n    return True\n",
    "f(is_new=settings.new_menu)\n": "f(is_new=True)\n",
    "if bool(settings.new_menu) and x:\n    a()\n": "if x:\n    a()\n",
    "x = [y for y in z if settings.new_menu]\n": "x = [y for y in z]\n",
    "if settings.new_menu == True:\n    a()\n": "a()\n",
    'x = y if get_flag("new_menu") is not False else z\n': "x = y\n",
    'x = has_feature("new_menu")\nf(x)\n': "f(True)\n",
    'def f():\n    x = has_feature("new_menu")\n    return g(locals())\n': (
        "def f():\n    x = True\n    return g(locals())\n"
    ),
    'if flags.is_active("new_menu"):\n    a()\n': "a()\n",
    'X = Feature("new_menu")\nif X.is_inactive():\n    a()\nelse:\n    b()\n': "b()\n",
}


@pytest.mark.parametrize("source", TRUTHS)
def test_where_only_the_truth_counts_the_answer_does(source):
    assert clean(source) == TRUTHS[source]


def test_the_value_of_an_answer_with_its_details_is_the_answer():
    text = (
        "def run(user):\n"
        '    if flags.evaluate("new_menu", user).value:\n'
        "        new()\n"
        "    else:\n"
        "        old()\n"
        '    return flags.evaluate("new_menu", user).reason\n'
    )
    tree = MemoryTree({"shop.py": text.encode()})
    plan = plan_in(tree, CleanupRequest(flag="new_menu", keep=True))
    (change,) = plan.changes
    assert change.after.decode() == (
        'def run(user):\n    new()\n    return flags.evaluate("new_menu", user).reason\n'
    )
    (left,) = plan.residues
    assert left.reference.line == 3
    assert left.reference.kind.asks
