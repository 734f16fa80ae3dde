"""What tests pin the flag with: mappings, settings, objects of the flag, and rows of a table."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree

VIEW = (
    "from app.flags import NEW_MENU\n\n\ndef view():\n"
    '    return settings.FEATURES["new_menu"] and is_enabled(NEW_MENU) and show()\n'
)
FLAGS = 'NEW_MENU = Feature("new_menu")\nOLD = Feature("old")\n'
FACTORY = "class FeatureFlagFactory(Factory):\n    is_active = {state}\n"


def plan(source, *, keep=True, flag="new_menu", **files):
    files = {"tests/test_a.py": source, **{k.replace("__", "/"): v for k, v in files.items()}}
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    return plan_in(tree, CleanupRequest(flag=flag, keep=keep))


def clean(source, **how):
    found = {change.path: change.after for change in plan(source, **how).changes}
    return (found.get("tests/test_a.py", source.encode()) or b"").decode()


ALONE = {
    'patch.dict(settings.FEATURES, {"new_menu": True})',
    'mock.patch.dict("django.conf.settings.FEATURES", {"new_menu": True})',
    'set_config_values(app, {"new_menu": True})',
    'patch.dict(os.environ, {"new_menu": "true"})',
    'override_features({"new_menu": True})',
}
MORE = {
    'patch.dict(FEATURES, {"new_menu": True, "b": 1})': 'patch.dict(FEATURES, {"b": 1})',
    'patch.dict(FEATURES, {"new_menu": True, "b": 1}, clear=True)': (
        'patch.dict(FEATURES, {"b": 1}, clear=True)'
    ),
    'override_settings(FEATURES={"b": 1, "new_menu": True}, X=1)': (
        'override_settings(FEATURES={"b": 1}, X=1)'
    ),
}
UNSURE = {
    'patch.dict(menus, {"new_menu": True})',
    'patch.dict(FEATURES, {"new_menu": on})',
    'patch.dict(FEATURES, {"new_menu": True}, clear=True)',
    'override_settings(FEATURES={"new_menu": True})',
    'client.post("/features", {"new_menu": True})',
}


@pytest.mark.parametrize("pin", sorted(ALONE))
def test_a_pin_of_the_flag_alone_goes(pin):
    assert clean(f"def test_a():\n    with {pin}:\n        assert a()\n") == (
        "def test_a():\n    assert a()\n"
    )
    assert clean(f"@{pin}\ndef test_a():\n    assert a()\n") == "def test_a():\n    assert a()\n"
    off = pin.replace("True", "False").replace("true", "false")
    assert clean(f"@{off}\ndef test_a():\n    assert a()\n\n\nx = 1\n") == "x = 1\n"


@pytest.mark.parametrize("pin", MORE)
def test_what_is_pinned_besides_the_flag_stays(pin):
    source = "def test_a():\n    with {}:\n        assert a()\n"
    assert clean(source.format(pin)) == source.format(MORE[pin])
    source = "@{}\ndef test_a():\n    assert a()\n"
    assert clean(source.format(pin)) == source.format(MORE[pin])


@pytest.mark.parametrize("pin", sorted(UNSURE))
def test_a_mapping_that_is_no_certain_pin_is_left_and_reported(pin):
    source = f"def test_a():\n    with {pin}:\n        assert a()\n"
    assert clean(source) == source
    assert plan(source).residues


def test_a_setting_is_pinned_by_its_name():
    files = {"app__view.py": "def view():\n    return settings.NEW_MENU and show()\n"}
    source = (
        "@override_settings(NEW_MENU=True)\ndef test_a():\n    assert a()\n\n\n"
        "@override_settings(X=1, NEW_MENU=True)\ndef test_b():\n    assert b()\n\n\n"
        "@override_settings(NEW_MENU=False)\ndef test_c():\n    assert c()\n"
    )
    assert clean(source, flag="NEW_MENU", **files) == (
        "def test_a():\n    assert a()\n\n\n"
        "@override_settings(X=1)\ndef test_b():\n    assert b()\n"
    )
    other = "@override_menu(NEW_MENU=True)\ndef test_a():\n    assert a()\n"
    assert clean(other, flag="NEW_MENU", **files) == other


def test_a_patched_object_of_the_flag_is_a_pin_and_its_imports_go_everywhere():
    source = (
        "from app.view import NEW_MENU, view\n\n\ndef test_on(mocker):\n"
        '    mocker.patch.object(NEW_MENU, "is_enabled", return_value=True)\n    assert view()\n'
        "\n\ndef test_off(mocker):\n"
        '    mocker.patch.object(NEW_MENU, "is_enabled", return_value=False)\n'
        "    assert not view()\n"
    )
    view = (
        "from app.flags import NEW_MENU\n\n\ndef view():\n    return NEW_MENU.is_enabled() and 1\n"
    )
    changes = plan(source, **{"app__view.py": view, "app__flags.py": FLAGS}).changes
    after = {change.path: (change.after or b"").decode() for change in changes}
    assert after["tests/test_a.py"] == (
        "from app.view import view\n\n\ndef test_on(mocker):\n    assert view()\n"
    )
    assert after["app/view.py"] == "def view():\n    return 1\n"
    assert after["app/flags.py"] == 'OLD = Feature("old")\n'
    named = source.replace('"is_enabled"', '"title"')
    assert clean(named, **{"app__view.py": view, "app__flags.py": FLAGS}) == named


MADE = [
    'get(Feature, feature_id="new_menu", projects=[project])',
    'baker.make(Feature, name="new_menu", everyone=True)',
    'Flag.objects.create(name="new_menu", everyone=True)',
]


@pytest.mark.parametrize("made", MADE)
def test_a_row_that_turns_the_flag_on_goes_unless_it_is_looked_at(made):
    head = "class TestA(TestCase):\n    def setUp(self):\n        super().setUp()\n"
    test = "    def test_a(self):\n        assert a()\n"
    for line in (made, f"self.flag = {made}", f"flag = {made}"):
        assert clean(f"{head}        {line}\n\n{test}") == f"class TestA(TestCase):\n{test}"
    read = f"{head}        self.flag = {made}\n\n{test}        assert self.flag\n"
    assert clean(read) == read
    assert clean(f"{head}        {made}\n        x()\n\n{test}") == f"{head}        x()\n\n{test}"


@pytest.mark.parametrize(
    "made", ['get(Menu, name="new_menu", users=[u])', 'get(Feature, name="new_menu", users=[])']
)
def test_a_row_of_something_else_or_for_nobody_is_left(made):
    source = f"def test_a():\n    {made}\n    assert a()\n"
    assert clean(source) == source
    assert plan(source).residues


def test_a_factory_tells_in_which_state_it_makes_a_flag():
    source = 'def test_a():\n    FeatureFlagFactory(code="new_menu")\n    assert a()\n\n\nx = 1\n'
    on, off = ({"tests__factories.py": FACTORY.format(state=state)} for state in (True, False))
    assert clean(source, **on) == "def test_a():\n    assert a()\n\n\nx = 1\n"
    assert clean(source, **off) == "x = 1\n"
    assert clean(source) == source
    both = {**on, "more__factories.py": FACTORY.format(state=False)}
    assert clean(source, **both) == source


def test_what_forgets_the_flag_goes_too():
    source = 'def test_a():\n    state.delete_config("new_menu")\n    client.delete("new_menu")\n'
    assert clean(source) == 'def test_a():\n    client.delete("new_menu")\n'


def test_a_factory_may_have_its_state_from_the_one_it_is_made_from():
    source = 'def test_a():\n    FeatureFlagFactory(code="new_menu")\n    assert a()\n'
    base = FACTORY.format(state=True).replace("FeatureFlagFactory", "BaseFactory")
    made = f'{base}\n\nclass FeatureFlagFactory(BaseFactory):\n    model = "Flag"\n'
    assert clean(source, **{"tests__factories.py": made}) == "def test_a():\n    assert a()\n"


MOCKED = (
    "def test_{name}(mocker):\n"
    '    flag = mocker.patch("app.view.NEW_MENU_FLAG")\n'
    "    flag.check_value.return_value = {state}\n    assert view()\n"
)


def mocked(source):
    view = (
        "from app.flags import NEW_MENU_FLAG\n\n\n"
        "def view():\n    return NEW_MENU_FLAG.check_value(1) and 1\n"
    )
    files = {"app__flags.py": FLAGS.replace("NEW_MENU", "NEW_MENU_FLAG"), "app__view.py": view}
    changes = {each.path: each.after for each in plan(source, **files).changes}
    return changes.get("tests/test_a.py", source.encode()).decode(), changes


def test_a_double_of_the_flags_own_object_is_a_pin():
    after, changes = mocked(MOCKED.format(name="on", state=True))
    assert after == "def test_on(mocker):\n    assert view()\n"
    assert changes["app/view.py"] == b"def view():\n    return 1\n"
    assert changes["app/flags.py"] == b'OLD = Feature("old")\n'
    # A test may need the other answer for something else that it looks at.
    for state in (False, "on"):
        source = MOCKED.format(name="off", state=state)
        assert mocked(source)[0] == source


@pytest.mark.parametrize(
    "more", ["flag.title = 1", "use(flag)", "flag.check_value.return_value = x"]
)
def test_a_double_of_which_more_is_said_stays(more):
    source = MOCKED.format(name="on", state=True) + f"    {more}\n"
    assert mocked(source)[0] == source
