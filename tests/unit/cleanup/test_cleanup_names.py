"""A name means the flag only where it was given the flag, not where another has the same name."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree

MENU = {"menu/__init__.py": "", "menu/flags.py": 'FLAG_NAME = "new_menu"\n'}
BILLING = {"billing/__init__.py": "", "billing/flags.py": 'FLAG_NAME = "billing_v2"\n'}
ASKING = "if is_enabled({name}, user):\n    charge_new(user)\nelse:\n    charge(user)\n"


def plan(files, *, flag="new_menu", keep=True):
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    return plan_in(tree, CleanupRequest(flag=flag, keep=keep))


def changed(files, **how):
    return {change.path: (change.after or b"").decode() for change in plan(files, **how).changes}


OTHERS = {
    "an import": ("from billing.flags import FLAG_NAME\n", "FLAG_NAME"),
    "an import of the neighbour": ("from .flags import FLAG_NAME\n", "FLAG_NAME"),
    "the module": ("from billing import flags\n", "flags.FLAG_NAME"),
    "the module by its full name": ("import billing.flags\n", "billing.flags.FLAG_NAME"),
    "the module by another name": ("from . import flags as menu\n", "menu.FLAG_NAME"),
    "a package that passes it on": ("from billing import FLAG_NAME\n", "FLAG_NAME"),
    "something unknown": ("from vendor.names import FLAG_NAME\n", "FLAG_NAME"),
    "an argument": (
        "from menu.flags import FLAG_NAME\n\n\ndef f(FLAG_NAME):\n    return FLAG_NAME\n\n\n",
        "FLAG_NAME",
    ),
    "two imports": (
        "try:\n    from menu.flags import FLAG_NAME\nexcept ImportError:\n    from billing.flags import FLAG_NAME\n",  # noqa: E501
        "FLAG_NAME",
    ),
    "an object of the same name": ("flags = load()\n", "flags.FLAG_NAME"),
}


@pytest.mark.parametrize("how", OTHERS)
def test_another_flag_under_the_same_name_is_left(how):
    head, name = OTHERS[how]
    source = f"{head}{ASKING.format(name=name)}"
    files = MENU | BILLING | {"billing/view.py": source}
    files["billing/__init__.py"] = "from .flags import *\n"
    assert "billing/view.py" not in changed(files)


SAME = {
    "an import": ("from menu.flags import FLAG_NAME\n", "FLAG_NAME"),
    "an import of the neighbour": ("from .flags import FLAG_NAME as F\n", "F"),
    "the module": ("from menu import flags\n", "flags.FLAG_NAME"),
    "the module by its full name": ("import menu.flags\n", "menu.flags.FLAG_NAME"),
    "a package that passes it on": ("from menu import FLAG_NAME\n", "FLAG_NAME"),
    "an import in a function": ("def f():\n    from menu.flags import FLAG_NAME\n", "FLAG_NAME"),
}


@pytest.mark.parametrize("how", SAME)
@pytest.mark.parametrize("root", ["", "src/"])
def test_the_flag_is_known_however_its_name_came_there(how, root):
    head, name = SAME[how]
    files = MENU | BILLING | {"menu/view.py": f"{head}{ASKING.format(name=name)}"}
    files["menu/__init__.py"] = "from .flags import *\n"
    files = {root + path: text for path, text in files.items()}
    assert "charge(user)" not in changed(files)[f"{root}menu/view.py"]


def test_classes_of_one_name_in_two_modules_are_told_apart():
    files = {
        "a/names.py": 'class Flags:\n    NAME = "new_menu"\n    OTHER = "b"\n',
        "b/names.py": 'class Flags:\n    NAME = "billing_v2"\n',
        "a/view.py": f"from a.names import Flags\n{ASKING.format(name='Flags.NAME')}",
        "b/view.py": f"from b.names import Flags\n{ASKING.format(name='Flags.NAME')}",
    }
    after = changed(files)
    assert after["a/view.py"] == "charge_new(user)\n"
    assert "b/view.py" not in after
    assert "b/names.py" not in after


def test_what_is_not_certain_is_reported():
    source = f"from vendor.names import FLAG_NAME\n{ASKING.format(name='FLAG_NAME')}"
    residues = plan(MENU | {"billing/view.py": source}).residues
    assert ("billing/view.py", 2) in {(r.reference.path, r.reference.line) for r in residues}
    source = f"from billing.flags import FLAG_NAME\n{ASKING.format(name='FLAG_NAME')}"
    residues = plan(MENU | BILLING | {"billing/view.py": source}).residues
    assert "billing/view.py" not in {residue.reference.path for residue in residues}


def test_a_constant_of_the_same_name_in_another_class_stays():
    source = (
        'class A:\n    FLAG = "new_menu"\n\n\nclass B:\n    FLAG = "other"\n\n\n'
        "if is_enabled(A.FLAG):\n    a()\n"
    )
    after = changed({"app/a.py": source})["app/a.py"]
    assert after == 'class B:\n    FLAG = "other"\n\n\na()\n'


CONSTANTS = {
    "a name like a field's": 'class Icon:\n    new_menu = "menu"\n',
    "a constant that nobody asks with": 'class Icon:\n    NEW_MENU = "menu"\n',
    "a function of the same name": (
        'NEW_MENU = "menu"\n\n\ndef NEW_MENU():\n    return is_on(NEW_MENU)\n'
    ),
}


@pytest.mark.parametrize("how", CONSTANTS)
def test_a_flag_is_not_taken_for_a_constant_of_its_name(how):
    ask = 'if is_enabled("menu"):\n    a()\n'
    for flag in ("new_menu", "NEW_MENU"):
        assert changed({"app/a.py": CONSTANTS[how], "app/b.py": ask}, flag=flag) == {}


def test_a_flag_named_in_a_text_is_that_flag_and_no_constant():
    source = 'class Icon:\n    NEW_MENU = "menu"\n\n\nuse(is_enabled(Icon.NEW_MENU))\n'
    ask = 'if is_enabled("menu"):\n    a()\nif is_enabled("NEW_MENU"):\n    b()\n'
    after = changed({"app/a.py": source, "app/b.py": ask}, flag="NEW_MENU")
    assert after == {"app/b.py": 'if is_enabled("menu"):\n    a()\nb()\n'}


def test_a_class_reads_its_own_constants_in_a_table_of_flags():
    source = (
        'class Feature:\n    A = "a"\n    NEW_MENU = "new_menu"\n\n'
        '    FEATURES = (\n        (A, _("A")),\n        (NEW_MENU, _("Menu")),\n    )\n'
    )
    ask = f"from app.a import Feature\n{ASKING.format(name='Feature.NEW_MENU')}"
    after = changed({"app/a.py": source, "app/b.py": ask})
    assert after["app/a.py"] == (
        'class Feature:\n    A = "a"\n\n    FEATURES = (\n        (A, _("A")),\n    )\n'
    )
    other = f'{source}\n\nclass Other:\n    NEW_MENU = "other"\n    FEATURES = [NEW_MENU, "b"]\n'
    assert changed({"app/a.py": other, "app/b.py": ask}) == {"app/b.py": after["app/b.py"]}


def test_a_constant_whose_text_is_its_own_name_goes():
    files = {
        "app/flags.py": "NEW_MENU = 'NEW_MENU'\nOLD = 'OLD'\n",
        "app/a.py": "from app import flags\nif is_enabled(flags.NEW_MENU):\n    a()\n",
    }
    assert changed(files, flag="NEW_MENU") == {"app/flags.py": "OLD = 'OLD'\n", "app/a.py": "a()\n"}
    files["app/b.py"] = "show('NEW_MENU')\n"
    assert changed(files, flag="NEW_MENU") == {"app/a.py": "a()\n"}
