"""What goes with the flag besides the question: loggers, empty modules, and one of two values."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree


def plan(files, *, keep=True, flag="new_menu"):
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    return plan_in(tree, CleanupRequest(flag=flag, keep=keep))


def changed(files, **how):
    changes = plan(files, **how).changes
    return {c.path: None if c.after is None else c.after.decode() for c in changes}


def clean(source, **how):
    return changed({"app/a.py": source}, **how).get("app/a.py", source)


def test_a_variable_may_bear_the_name_of_the_flag():
    source = (
        "def f(x):\n    new_menu = (bool)(get_int_config('new_menu', default=0))\n"
        "    if new_menu:\n        return a()\n    return b()\n"
    )
    assert clean(source) == "def f(x):\n    return a()\n"
    assert clean(source, keep=False) == "def f(x):\n    return b()\n"


def test_a_logger_that_only_the_losing_side_used_goes():
    head = "import logging\n\nlogger = logging.getLogger(__name__)\n\n\n"
    source = (
        f'{head}def f():\n    if not is_enabled("new_menu"):\n        logger.info("x")\n    a()\n'
    )
    assert clean(source) == "def f():\n    a()\n"
    assert clean(source, keep=False) == f'{head}def f():\n    logger.info("x")\n    a()\n'
    other = source.replace("logging.getLogger(__name__)", "register(__name__)")
    assert "logger = register(__name__)" in clean(other)


VALUES = {
    'x = [\n    p.get_feature_value("new_menu", positive="a", negative="b"),\n]\n': (
        'x = [\n    "a",\n]\n',
        'x = [\n    "b",\n]\n',
    ),
    'f(flag_value("new_menu", user, on=1 + x, off=y))\n': ("f((1 + x))\n", "f(y)\n"),
}


@pytest.mark.parametrize("source", VALUES)
def test_one_of_two_values_stays(source):
    assert (clean(source), clean(source, keep=False)) == VALUES[source]


@pytest.mark.parametrize(
    "source",
    [
        'x = get_feature_value("new_menu", positive="a")\n',
        'x = get_feature_value("new_menu", positive=a(), negative=b())\n',
        'x = get_feature_value("new_menu", user(), positive="a", negative="b")\n',
        'x = get_colour("new_menu", positive="a", negative="b")\n',
        'x = get_feature_value("new_menu", positive="a", negative="b", other="c")\n',
    ],
)
def test_values_of_which_more_may_be_asked_stay(source):
    assert clean(source) == source


def test_a_table_of_flags_with_a_truth_by_default_answers_one():
    source = 'x = {"menu": settings.FEATURES.get("new_menu", False) or other()}\n'
    assert clean(source) == 'x = {"menu": True}\n'
    assert clean(source, keep=False) == 'x = {"menu": other()}\n'
    limit = 'x = {"menu": settings.FEATURES.get("new_menu", 10)}\n'
    assert clean(limit) == limit


DECORATED = {
    '@view_config(\n    route="a",\n    has_feature_flag="new_menu",\n    method="GET",\n)\n': (
        '@view_config(\n    route="a",\n    method="GET",\n)\n'
    ),
    '@view_config(route="a",\n             has_feature_flag="new_menu")\n': (
        '@view_config(route="a")\n'
    ),
    '@feature_flagged_view("new_menu")\n@other\n': "@other\n",
}


@pytest.mark.parametrize("head", DECORATED)
def test_a_decorator_that_asks_besides_loses_the_question(head):
    view = "def view(request):\n    a()\n"
    assert clean(f"{head}{view}") == f"{DECORATED[head]}{view}"
    assert clean(f"{head}{view}", keep=False) == f"{head}{view}"


@pytest.mark.parametrize("word", ['not_("new_menu")', '"other"'])
def test_a_decorator_that_asks_for_something_else_stays(word):
    source = f"@view_config(has_feature_flag={word})\ndef view(request):\n    a()\n"
    assert clean(source) == source


FLAGS = {"app/flags.py": 'NEW_MENU = "new_menu"\n', "app/__init__.py": ""}
ASK = "from app.flags import NEW_MENU\n\nif is_enabled(NEW_MENU):\n    a()\n"


def test_a_module_of_which_nothing_is_left_goes_unless_something_imports_it():
    assert changed({**FLAGS, "app/b.py": ASK})["app/flags.py"] is None
    for line in ("import app.flags\n", "from app import flags\n", 'load("app.flags")\n'):
        assert changed({**FLAGS, "app/b.py": ASK, "app/c.py": line})["app/flags.py"] is not None
    files = {**FLAGS, "app/b.py": ASK, "pyproject.toml": 'plugin = "app.flags"\n'}
    assert changed(files)["app/flags.py"] is not None
