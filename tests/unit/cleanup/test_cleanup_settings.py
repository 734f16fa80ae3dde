"""What is the value of a setting, and goes with it, and what only bears the same name."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree


def changed(files, *, flag="new_menu"):
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    plan = plan_in(tree, CleanupRequest(flag=flag, keep=True))
    return {change.path: (change.after or b"").decode() for change in plan.changes}


NO_SETTINGS = {
    "a field of a model": "class Site(models.Model):\n    new_menu = models.BooleanField()\n",
    "a field of a value": "class Site(BaseModel):\n    new_menu: bool = False\n",
    "what was done": 'new_menu = app.add_menu("x")\n',
    "a fixed value of a module that has no settings": "new_menu = 1\n",
    "what is done for a setting": 'class Config:\n    new_menu = register("x")\n',
}


@pytest.mark.parametrize("what", NO_SETTINGS)
@pytest.mark.parametrize("ask", ['is_enabled("new_menu")', "settings.new_menu"])
def test_what_bears_the_name_of_the_flag_stays(what, ask):
    files = {"app/site.py": NO_SETTINGS[what], "app/view.py": f"if {ask}:\n    a()\n"}
    assert "app/site.py" not in changed(files)


def test_a_setting_that_was_never_read_as_one_stays():
    files = {
        "conf/settings.py": "new_menu = True\n",
        "a.py": 'if is_enabled("new_menu"):\n    a()\n',
    }
    assert changed(files) == {"a.py": "a()\n"}


@pytest.mark.parametrize("path", ["a.txt", "a.html", "a.vue", "a.xml", "a.ts"])
def test_a_setting_stays_where_another_file_may_read_it(path):
    files = {
        "conf/settings.py": "new_menu = True\nother = 1\n",
        "a.py": "if settings.new_menu:\n    a()\n",
    }
    assert changed(files) == {"conf/settings.py": "other = 1\n", "a.py": "a()\n"}
    assert changed({**files, path: "{{ opts.new_menu }}\n"}) == {"a.py": "a()\n"}


@pytest.mark.parametrize(
    "owner", ["user.settings", "self.config", "get_user(1).settings", "sample", "experiment"]
)
def test_what_somebody_in_the_program_chose_is_no_flag(owner):
    for read in (f"{owner}.new_menu", f'{owner}["new_menu"]', f'{owner}.get("new_menu")'):
        files = {
            "app/site.py": "class UserSettings(BaseModel):\n    new_menu: bool = False\n",
            "app/view.py": f"if {read}:\n    a()\n",
        }
        assert changed(files) == {}


VALUES = ["True", "env.bool('NEW_MENU', False)", 'os.environ.get("NEW_MENU", "").lower() == "true"']


@pytest.mark.parametrize("value", VALUES)
def test_the_value_of_a_setting_goes_with_it(value):
    files = {
        "app/config.py": f"class Production(Base):\n    NEW_MENU = {value}\n    DEBUG = False\n",
        "app/view.py": "if settings.NEW_MENU:\n    a()\n",
    }
    after = {
        "app/config.py": "class Production(Base):\n    DEBUG = False\n",
        "app/view.py": "a()\n",
    }
    assert changed(files, flag="NEW_MENU") == after


@pytest.mark.parametrize("name", ["FF_MENU", "FEATURE_MENU", "MENU_FEATURE_FLAG"])
@pytest.mark.parametrize("value", ["True", 'os.getenv("{}", False)'])
def test_a_setting_of_a_flag_that_nobody_reads_goes_with_what_tests_give_it(name, value):
    files = {
        "app/config.py": (
            f"class Base:\n    # Keeps it.\n    {name} = {value.format(name)}\n    B = 1\n"
        ),
        "tests/test_a.py": (
            f'def test_a(app):\n    app.config["{name}"] = 1\n    assert a()\n\n\n'
            f'def test_b(app, monkeypatch):\n    monkeypatch.setenv("{name}", "true")\n'
            f'    monkeypatch.setitem(app.config, "{name}", True)\n'
            f'    monkeypatch.setattr(settings, "{name}", True)\n    assert b()\n'
        ),
    }
    after = {
        "app/config.py": "class Base:\n    B = 1\n",
        "tests/test_a.py": (
            "def test_a(app):\n    assert a()\n\n\ndef test_b(app, monkeypatch):\n    assert b()\n"
        ),
    }
    assert changed(files, flag=name) == after


@pytest.mark.parametrize(
    "other",
    ["x = load('FF_MENU')\n", "for name in ['FF_MENU']:\n    a(name)\n", "x = FF_MENU\n"],
)
def test_a_setting_that_somebody_may_read_stays(other):
    files = {"app/config.py": "FF_MENU = True\n", "app/a.py": other}
    assert changed(files, flag="FF_MENU") == {}


@pytest.mark.parametrize("name", ["SESSION_COOKIE_SECURE", "WAFFLE_FLAG_DEFAULT", "USE_TZ"])
def test_a_setting_that_a_framework_may_read_stays(name):
    assert changed({"app/settings.py": f"{name} = os.getenv('{name}')\n"}, flag=name) == {}


def test_an_object_of_the_flag_that_nobody_reads_goes():
    flags = 'OTHER = Feature("other")\nNEW_MENU = Feature("new_menu")\n'
    assert changed({"app/flags.py": flags}) == {"app/flags.py": 'OTHER = Feature("other")\n'}
    # By its name somebody may find it yet.
    assert changed({"app/flags.py": flags, "app/a.py": 'x = find("new_menu")\n'}) == {}
    # A text may just be equal.
    assert changed({"app/pages.py": 'TITLE = "new_menu"\nOTHER = 1\n'}) == {}
