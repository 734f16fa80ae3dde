"""How statements look that a clean-up made shorter: as the project's formatter leaves them."""

from __future__ import annotations

from textwrap import dedent

import pytest

from flagstaff.cleanup.layout import laid_out
from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.styles import ImportStyle, Style, Styles
from flagstaff.cleanup.tree import MemoryTree

BLACK = {"pyproject.toml": "[tool.black]\nline-length = 60\n"}
ISORT = {".isort.cfg": "[settings]\nline_length = 60\nmulti_line_output = 5\n"}


def clean(source, others, path="app/views.py"):
    files = {path: dedent(source).encode()} | {n: t.encode() for n, t in others.items()}
    plan = plan_in(MemoryTree(files), CleanupRequest(flag="new", keep=True))
    return {change.path: change.after for change in plan.changes}[path].decode()


CASES = {
    "a call that moves to the left": (
        """
        def f():
            if flags.is_enabled("new"):
                return or_condition(
                    is_null(left), is_null(rightmost)
                )
            return None
        """,
        """
        def f():
            return or_condition(is_null(left), is_null(rightmost))
        """,
    ),
    "a condition without its parentheses": (
        """
        if (
            first_condition
            and second_condition
            and flags.is_enabled("new")
        ):
            run()
        """,
        """
        if first_condition and second_condition:
            run()
        """,
    ),
    "a value that only fits within its parentheses": (
        """
        should_be_disabled_for_this_person = (
            not settings.SEARCH
            or not request.anonymous
            or not flags.is_enabled("new")
        )
        """,
        """
        should_be_disabled_for_this_person = (
            not settings.SEARCH or not request.anonymous
        )
        """,
    ),
    "a comma before the bracket keeps it open": (
        """
        if flags.is_enabled("new"):
            run(
                one,
                two(
                    three_of_a_very_long_name, four_of_a_longer_name
                ),
            )
        """,
        """
        run(
            one,
            two(three_of_a_very_long_name, four_of_a_longer_name),
        )
        """,
    ),
    "parentheses that mean something": (
        """
        if flags.is_enabled("new"):
            all_squares = (
                square_of_one(number) for number in numbers
            )
            if name in (
                first_of_the_names, second_of_the_names_too
            ):
                run()
        """,
        """
        all_squares = (square_of_one(number) for number in numbers)
        if name in (first_of_the_names, second_of_the_names_too):
            run()
        """,
    ),
    "comments and texts on several lines": (
        '''
        if flags.is_enabled("new"):
            run(
                one,  # the first
                two
            )
            say(
                """
            text
            """
            )
            tell(
                "a text of some length, and "
                "more of it"
            )
        ''',
        '''
        run(
            one,  # the first
            two
        )
        say(
            """
            text
            """
        )
        tell(
            "a text of some length, and "
            "more of it"
        )
        ''',
    ),
    "a comment behind a statement": (
        """
        if flags.is_enabled("new"):
            with open(some_path_of_a_file):
                raise LimitIsExceeded(
                    "some stuff"
                )  # as if it were so
        """,
        """
        with open(some_path_of_a_file):
            raise LimitIsExceeded("some stuff")  # as if it were so
        """,
    ),
    "what nobody touched": (
        """
        x = flags.is_enabled("new") and y(
            some_argument_of_a_function, another_argument
        )
        z = (
            some_function_of_a_long_name(argument_one, another)
        )
        """,
        None,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_black_is_followed_where_it_laid_out_the_file(name):
    before, expected = CASES[name]
    after = clean(before, BLACK)
    if expected is not None:
        assert after == dedent(expected)


LOOSE = """
def f():
    if flags.is_enabled("new"):
        return run(
            a, b
        )
    return call(a,
                b)
"""


def test_a_file_that_was_laid_out_by_hand_keeps_its_style():
    kept = "\ndef f():\n    return run(\n        a, b\n    )\n"
    assert clean(LOOSE, BLACK) == kept
    assert clean(LOOSE, {}) == kept


EVIDENT = """
first_of_some_names_of_this_file = some_function_of_another_module(
    first_argument_of_it, second
)
second_of_some_names_of_this_file = some_function_of_another_module(
    second_argument_of_it, third
)
if flags.is_enabled("new"):
    third_of_some_names_of_this_file = other_function_of_a_module(
        argument_alone
    )
"""


def test_without_a_word_of_the_project_the_file_itself_tells():
    name = "third_of_some_names_of_this_file"
    last = f"{name} = other_function_of_a_module(argument_alone)\n"
    assert clean(EVIDENT, {}).endswith(f"\n{last}")
    open_call = f"{EVIDENT}\nx = f(\n    1\n)\n"
    assert last not in clean(open_call, {})
    aligned = f"{EVIDENT}\nx = f(1,\n      2)\n"
    assert last not in clean(aligned, {})


def test_a_file_from_before_another_width_was_agreed_on_keeps_its_own():
    assert clean(EVIDENT, {"ruff.toml": "line-length = 120\n[format]\n"}) == clean(EVIDENT, {})


def test_tabs_and_other_line_ends_are_left():
    before = "if flags.is_enabled('new'):\n\trun(\n\t\ta\n\t)\n"
    assert clean(before, BLACK) == "run(\n\ta\n)\n"
    windows = "if flags.is_enabled('new'):\r\n    run(\r\n        a\r\n    )\r\n"
    assert clean(windows, BLACK) == "run(\r\n    a\r\n)\r\n"
    call = "a = a_function_of_some_module_or_other(\n    an_argument_of_it\n)\n"
    moved = call.replace("\n", "\n    ").rstrip(" ")
    mixed = f"if flags.is_enabled('new'):\n    {moved}{{}}else:\n    a()\nb()\n"
    assert clean(mixed.format(""), BLACK) == f"{_row(call)}b()\n"
    assert clean(mixed.format("    b()\r"), BLACK).startswith(call)


def _row(text):
    return text.replace("(\n    ", "(").replace("\n)", ")")


IMPORTS = {
    "names that fit on one row": (
        ISORT,
        """
        from application.switches import (
            ANOTHER_NAME_OF_A_SWITCH, is_new
        )

        run(ANOTHER_NAME_OF_A_SWITCH)
        """,
        """
        from application.switches import ANOTHER_NAME_OF_A_SWITCH

        run(ANOTHER_NAME_OF_A_SWITCH)
        """,
    ),
    "names that fill rows": (
        ISORT,
        """
        from application.switches import (
            ANOTHER_NAME_OF_A_SWITCH, FIRST_OF_THEM, SECOND, is_new,
            limit, maximum, most
        )

        run(ANOTHER_NAME_OF_A_SWITCH, FIRST_OF_THEM, SECOND, limit, maximum, most)
        """,
        """
        from application.switches import (
            ANOTHER_NAME_OF_A_SWITCH, FIRST_OF_THEM, SECOND, limit,
            maximum, most
        )

        run(ANOTHER_NAME_OF_A_SWITCH, FIRST_OF_THEM, SECOND, limit, maximum, most)
        """,
    ),
    "names laid out by hand": (
        ISORT,
        """
        from application.switches import (
            ANOTHER_NAME_OF_A_SWITCH,
            is_new)

        run(ANOTHER_NAME_OF_A_SWITCH)
        """,
        """
        from application.switches import (
            ANOTHER_NAME_OF_A_SWITCH)

        run(ANOTHER_NAME_OF_A_SWITCH)
        """,
    ),
    "one name on each row, with nobody to say so": (
        {},
        """
        from application.switches import (
            ANOTHER_NAME_OF_A_SWITCH,
            is_new,
        )

        run(ANOTHER_NAME_OF_A_SWITCH)
        """,
        """
        from application.switches import (
            ANOTHER_NAME_OF_A_SWITCH,
        )

        run(ANOTHER_NAME_OF_A_SWITCH)
        """,
    ),
}


@pytest.mark.parametrize("name", IMPORTS)
def test_imports_are_laid_out_as_isort_does(name):
    others, before, expected = IMPORTS[name]
    switches = "def is_new():\n    return flags.is_enabled('new')\n"
    asked = f"{dedent(before)}\nif is_new():\n    run(1)\n"
    after = clean(asked, others | {"application/switches.py": switches})
    assert after == f"{dedent(expected)}\nrun(1)\n"


MODES = {
    0: ("(first, second,\n{0}third, fourth)", "(first, third,\n{0}fourth)"),
    1: ("(first,\n{0}second,\n{0}third,\n{0}fourth)", "(first,\n{0}third,\n{0}fourth)"),
    3: (
        "(\n    first,\n    second,\n    third,\n    fourth\n)",
        "(\n    first,\n    third,\n    fourth\n)",
    ),
    4: ("(\n    first, second, third, fourth)", "(\n    first, third, fourth)"),
    5: ("(\n    first, second, third, fourth\n)", "(\n    first, third, fourth\n)"),
}


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_of_isort_is_known(mode):
    head = "from a.module import "
    before, expected = (f"{head}{each.format(' ' * 22)}\n" for each in MODES[mode])
    name = "second,\n" if mode in {1, 3} else "second,"
    after = before.replace(f"{name}{' ' * 22}" if mode == 1 else name, "", 1)
    style = Style(imports=ImportStyle(width=39, mode=mode))
    assert laid_out(before.encode(), after.encode(), style).decode() == expected
    wide = Style(imports=ImportStyle(width=79, mode=mode))
    assert laid_out(before.encode(), after.encode(), wide).decode() == after


SAID = {
    "black": ({"pyproject.toml": "[tool.black]\n"}, Style(width=88)),
    "black's width": ({"pyproject.toml": "[tool.black]\nline-length = 100\n"}, Style(width=100)),
    "ruff": ({"ruff.toml": "line-length = 99\n[format]\n"}, Style(width=99)),
    "ruff for mistakes alone": ({"pyproject.toml": "[tool.ruff.lint]\nselect = []\n"}, Style()),
    "a hook": (
        {".pre-commit-config.yaml": "- id: black\n  args: [--line-length=79]\n- id: x\n"},
        Style(width=79),
    ),
    "a hook with its arguments apart": (
        {".pre-commit-config.yaml": '- id: black\n  args: ["-l", "100"]\n'},
        Style(width=100),
    ),
    "the arguments of another hook": (
        {".pre-commit-config.yaml": "- id: black\n- id: x\n  args: [--line-length=79]\n"},
        Style(width=88),
    ),
    "the nearest folder": (
        {"pyproject.toml": "[tool.black]\n", "app/pyproject.toml": "[tool.black]\nline-length=70"},
        Style(width=70),
    ),
    "isort like black": (
        {"setup.cfg": "[isort]\nprofile = black\n"},
        Style(imports=ImportStyle(width=88, mode=3, trailing_comma=True)),
    ),
    "isort by a mode's name": (
        {"pyproject.toml": '[tool.isort]\nmulti_line_output = "VERTICAL_GRID"\n'},
        Style(imports=ImportStyle(mode=4)),
    ),
    "files that cannot be read": (
        {"pyproject.toml": "[tool.black", "setup.cfg": "isort", "tox.ini": "[isort\n"},
        Style(),
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_what_a_project_says_of_its_style(name):
    files, expected = SAID[name]
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    assert Styles(tree).of("app/views.py") == expected
