"""How the many ways in which projects ask for a flag are told from what they do not mean."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.asking import asks, makes_flag
from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree


def clean(*texts, flag="new_menu", keep=True, path="app/a.py"):
    names = [path, "app/b.py"]
    tree = MemoryTree({name: text.encode() for name, text in zip(names, texts, strict=False)})
    plan = plan_in(tree, CleanupRequest(flag=flag, keep=keep))
    after = {name: tree.read(name).decode() for name in names if tree.read(name) is not None}
    after |= {c.path: (c.after or b"").decode() for c in plan.changes}
    return [after[name] for name in names if name in after]


def test_names_tell_questions_from_deeds():
    for name in ("is_feature_active", "has_feature", "flag_is_active", "isFeatureEnabled"):
        assert asks(name) is True
    assert asks("is_flag_disabled") is False
    for name in ("set_flag", "create_feature", "FeatureFlagFactory", "print", "enable", "get"):
        assert asks(name) is None
    for name in ("get_feature_value", "flag_variant"):  # what comes back may be anything
        assert asks(name) is None
    assert asks("get_feature_boolean_value") is True
    assert makes_flag("WaffleFlag")
    assert not makes_flag("Menu")


@pytest.mark.parametrize(
    "question",
    [
        'project.has_feature("new_menu")',
        'request.feature("new_menu")',
        'is_feature_flag_active("new_menu")',
        'state.get_config("new_menu", 0)',
        'settings.FEATURES["new_menu"]',
        'settings.FEATURES.get("new_menu", False)',
        'getattr(settings, "new_menu", False)',
        "settings.new_menu",
        'current_app.config["new_menu"]',
        'os.environ.get("new_menu")',
    ],
)
def test_a_question_is_known_by_how_it_reads(question):
    assert clean(f"if {question}:\n    a()\nelse:\n    b()\n") == ["a()\n"]


@pytest.mark.parametrize(
    "other",
    [
        'payload["new_menu"]',
        'payload.get("new_menu")',
        'print("new_menu")',
        'menus.create("new_menu")',
        "self.new_menu",
        'assert_flag_is_active("new_menu")',
    ],
)
def test_what_only_names_it_is_left(other):
    source = f"if {other}:\n    a()\n"
    assert clean(source) == [source]


def test_an_object_made_of_the_flag_is_asked_in_other_files():
    define = 'NEW_MENU = Feature("new_menu")\nOLD = Feature("old")\n'
    use = (
        "from app.a import NEW_MENU, OLD\n\n"
        "async def f(x):\n    if await NEW_MENU.check_value_async(identifier=x):\n        a()\n"
        "    return OLD\n"
    )
    after = [
        'OLD = Feature("old")\n',
        "from app.a import OLD\n\nasync def f(x):\n    a()\n    return OLD\n",
    ]
    assert clean(define, use) == after
    assert clean(define, use, flag="NEW_MENU") == after


def test_a_setting_goes_with_its_values():
    config = "class Config:\n    DEBUG = 1\n    FF_MENU = env.bool('FF_MENU', False)\n"
    use = 'if current_app.config["FF_MENU"] and x:\n    a()\n'
    after = ["class Config:\n    DEBUG = 1\n", "if x:\n    a()\n"]
    assert clean(config, use, flag="FF_MENU") == after


def test_a_setting_that_something_else_reads_stays():
    config = "class Config:\n    FF_MENU = env.bool('FF_MENU', False)\n"
    use = "show(current.FF_MENU)\n"
    assert clean(config, use, flag="FF_MENU") == [config, use]


def test_tables_of_flags_lose_their_entry_and_other_tables_do_not():
    table = 'FEATURES = {\n    "old": "O",\n    "new_menu": "N",\n}\n'
    assert clean(table) == ['FEATURES = {\n    "old": "O",\n}\n']
    other = 'MENUS = {\n    "old": "O",\n    "new_menu": "N",\n}\n'
    assert clean(other) == [other]


def test_a_decorator_that_lets_pass_goes_and_one_that_never_does_stays():
    source = '@waffle_flag("new_menu")\ndef view(request):\n    a()\n'
    assert clean(source) == ["def view(request):\n    a()\n"]
    assert clean(source, keep=False) == [source]


def test_tests_lose_what_sets_the_flag_up():
    source = (
        "def test_on():\n    FeatureFlagFactory(code='new_menu', is_active=True)\n    a()\n\n\n"
        "def test_off():\n    state.set_config('new_menu', 0)\n    b()\n"
    )
    path = "app/tests/test_a.py"
    assert clean(source, path=path) == ["def test_on():\n    a()\n"]
    assert clean(source) == [source], "outside of tests it may be what the program does"


def test_what_changes_nothing_leaves_all_and_any():
    source = 'if all([\n    project.has_feature("new_menu"),\n    x(),\n    y,\n]):\n    a()\n'
    assert clean(source) == ["if all([\n    x(),\n    y,\n]):\n    a()\n"]
    source = 'if any([x(), project.has_feature("new_menu")]):\n    a()\n'
    assert clean(source, keep=False) == ["if any([x()]):\n    a()\n"]
