"""What a Python file says after a clean-up: one case per shape of code."""

from __future__ import annotations

from textwrap import dedent

import pytest

from flagstaff.cleanup.patterns import CallPattern, Conventions
from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree


def clean(source, *, keep=True, path="app/views.py", others=None, conventions=None):
    files = {path: dedent(source).encode()}
    files |= {name: dedent(text).encode() for name, text in (others or {}).items()}
    request = CleanupRequest(flag="new", keep=keep, conventions=conventions or Conventions())
    plan = plan_in(MemoryTree(files), request)
    changed = {change.path: change.after for change in plan.changes}
    after = changed.get(path, files[path])
    return None if after is None else after.decode()


CASES = {
    "a comment belongs to the statement below": (
        """
        def f():
            # first
            a()
            # new is on for some
            # (see the issue)
            if flags.is_enabled("new"):
                # about b
                b()
                # the end of b
            # about c
            c()
        """,
        """
        def f():
            # first
            a()
            # about b
            b()
            # the end of b
            # about c
            c()
        """,
        """
        def f():
            # first
            a()
            # about c
            c()
        """,
    ),
    "elif chains close up": (
        """
        if a:
            one()
        elif flags.is_enabled("new"):
            two()
        else:
            three()
        """,
        """
        if a:
            one()
        else:
            two()
        """,
        """
        if a:
            one()
        else:
            three()
        """,
    ),
    "an elif after the flag becomes the if": (
        """
        if flags.is_enabled("new"):
            one()
        elif a:
            two()
        else:
            three()
        """,
        """
        one()
        """,
        """
        if a:
            two()
        else:
            three()
        """,
    ),
    "a dropped operand keeps its effect": (
        """
        if f() or flags.is_enabled("new"):
            one()
        else:
            two()
        """,
        """
        f()
        one()
        """,
        """
        if f():
            one()
        else:
            two()
        """,
    ),
    "an emptied body turns its condition round": (
        """
        if a is None:
            if flags.is_disabled("new"):
                one()
        else:
            two()
        """,
        """
        if a is not None:
            two()
        """,
        """
        if a is None:
            one()
        else:
            two()
        """,
    ),
    "an emptied function passes": (
        """
        def f():
            if flags.is_enabled("new"):
                one()


        async def g():
            if await client.get_boolean_value("new", False, context):
                return 1
            return 2
        """,
        """
        def f():
            one()


        async def g():
            return 1
        """,
        """
        def f():
            pass


        async def g():
            return 2
        """,
    ),
    "what follows both ends is dead": (
        """
        def f(a):
            if a:
                return 1
            else:
                if flag_is_active(request, "new"):
                    return 2
            return 3
        """,
        """
        def f(a):
            if a:
                return 1
            else:
                return 2
        """,
        """
        def f(a):
            if a:
                return 1
            return 3
        """,
    ),
    "a name assigned once carries the answer": (
        """
        def f(a):
            use = flags.is_enabled("new", a)
            return one(a) if use and a else two(a)
        """,
        """
        def f(a):
            return one(a) if a else two(a)
        """,
        """
        def f(a):
            return two(a)
        """,
    ),
    "loops, assertions and comprehensions": (
        """
        while flags.is_disabled("new"):
            one()
        assert a and flags.is_enabled("new") is True, "why"
        b = [x for x in y if x or not flags.is_enabled("new")]
        """,
        """
        assert a, "why"
        b = [x for x in y if x]
        """,
        """
        while True:
            one()
        assert False, "why"
        b = [x for x in y]
        """,
    ),
    "parentheses go where they are not needed": (
        """
        a = (
            one()
            if flags.is_enabled("new")
            else two + 1
        )
        """,
        """
        a = one()
        """,
        """
        a = (
            two + 1
        )
        """,
    ),
    "bodies on the line of their header": (
        """
        def f():
            if flags.is_enabled("new"): return 1  # one
            return 2
        """,
        """
        def f():
            return 1  # one
        """,
        """
        def f():
            return 2
        """,
    ),
    "what only one side used goes": (
        """
        import json
        from app.old import (
            legacy,  # the old way
            modern,
        )

        OLD_URL = "http://old"
        LIMIT = 5


        def _old(a):
            return legacy(_older(a), OLD_URL)


        def _older(a):
            return json.dumps(a) if a else _older(a)


        def unused_before():
            pass


        def f(a):
            if flags.is_enabled("new"):
                return modern(a, LIMIT)
            return _old(a)
        """,
        """
        from app.old import (
            modern,
        )

        LIMIT = 5


        def unused_before():
            pass


        def f(a):
            return modern(a, LIMIT)
        """,
        """
        import json
        from app.old import (
            legacy,  # the old way
        )

        OLD_URL = "http://old"


        def _old(a):
            return legacy(_older(a), OLD_URL)


        def _older(a):
            return json.dumps(a) if a else _older(a)


        def unused_before():
            pass


        def f(a):
            return _old(a)
        """,
    ),
    "constants and handles": (
        """
        from app import flags

        NEW = "new"
        handle = flags.flag(NEW)


        class Names(StrEnum):
            NEW_ONE = "new"
            OTHER = "other"


        def f(a):
            if handle(a) and flags.is_enabled(Names.NEW_ONE):
                return 1
            return 2 if handle.is_enabled(a) else 3
        """,
        """
        class Names(StrEnum):
            OTHER = "other"


        def f(a):
            return 1
        """,
        """
        class Names(StrEnum):
            OTHER = "other"


        def f(a):
            return 3
        """,
    ),
}


@pytest.mark.parametrize("keep", [True, False], ids=["on", "off"])
@pytest.mark.parametrize("name", CASES)
def test_a_shape_of_code(name, keep):
    source, on, off = CASES[name]
    assert clean(source, keep=keep) == dedent(on if keep else off)


UNTOUCHED = {
    "another flag": 'if flags.is_enabled("newer"):\n    a()\n',
    "a name only known at run time": 'name = "ne" + "w"\nif flags.is_enabled(name):\n    a()\n',
    "literals a person wrote": 'if True:\n    a()\nelse:\n    b()\nx = "new"\n',
    "an argument that binds a name": 'if flags.is_enabled("new", (u := user())):\n    a(u)\n',
    "a generator that would stop to be one": (
        'def f():\n    if flags.is_enabled("new"):\n        return\n    yield 1\n'
    ),
    "a file that does not parse": 'if flags.is_enabled("new"):\n',
    "a constant used otherwise": 'NEW = "new"\nregister(NEW)\n',
}


@pytest.mark.parametrize("name", UNTOUCHED)
def test_what_cannot_be_decided_stays_and_is_reported(name):
    source = UNTOUCHED[name]
    assert clean(source) == source
    request = CleanupRequest(flag="new", keep=True)
    plan = plan_in(MemoryTree({"app/views.py": source.encode()}), request)
    assert bool(plan.residues) is ('"new"' in source)
    assert all(residue.reason for residue in plan.residues)


def test_truthiness_is_not_equality():
    source = 'a = b and flags.is_enabled("new")\nc = b or flags.is_enabled("new")\n'
    assert clean(source) == "a = b and True\nc = b or True\n"
    assert clean('if b and flags.is_enabled("new"): a()\n') == "if b: a()\n"


def test_a_bare_answer_is_a_residue():
    request = CleanupRequest(flag="new", keep=True)
    source = b'import a\nshow(menu=flags.is_enabled("new"))\n'
    (residue,) = plan_in(MemoryTree({"app/views.py": source}), request).residues
    assert residue.reference.line == 2
    assert residue.reference.text == "show(menu=True)"
    assert residue.reference.kind == "value"


def test_a_name_written_twice_is_not_propagated():
    source = """
    def f(a):
        use = flags.is_enabled("new")
        if a:
            use = False
        return one() if use else two()
    """
    assert clean(source) == dedent(source).replace('flags.is_enabled("new")', "True")


def test_a_name_other_files_use_stays():
    source = """
    from app.old import legacy


    def old(a):
        return a


    def f(a):
        return 1 if flags.is_enabled("new") else old(legacy(a))
    """
    others = {"app/more.py": "from app.views import old, legacy\n\nold(legacy(1))\n"}
    after = clean(source, others=others)
    assert "def old" in after
    assert "import legacy" in after
    assert "def old" not in clean(source)


def test_a_constant_of_another_module_is_understood_and_goes_in_the_end():
    tree = MemoryTree(
        {
            "app/names.py": b'NEW_NAME = "new"\nOTHER = "other"\n',
            "app/views.py": (
                b"from app import names\nfrom app.names import NEW_NAME as N\n\n"
                b"if flags.is_enabled(N) and flags.is_enabled(names.NEW_NAME):\n    a()\n"
            ),
        }
    )
    plan = plan_in(tree, CleanupRequest(flag="new", keep=True))
    assert [change.after for change in plan.changes] == [b'OTHER = "other"\n', b"a()\n"]
    assert plan.residues == ()


def test_a_projects_own_way_of_asking_is_configured():
    source = 'if experiments.treats(user, "new"):\n    a()\n'
    own = Conventions(calls=(CallPattern(function="treats", position=1),))
    assert clean(source) == source
    assert clean(source, conventions=own) == "a()\n"


def test_line_endings_and_encoding_stay():
    source = '# -*- coding: latin-1 -*-\r\nif flags.is_enabled("new"):\r\n    a("\xe9")\r\n'
    tree = MemoryTree({"app/views.py": source.encode("latin-1")})
    (change,) = plan_in(tree, CleanupRequest(flag="new", keep=True)).changes
    assert change.after == b'# -*- coding: latin-1 -*-\r\na("\xe9")\r\n'


@pytest.mark.parametrize("source", ["return(flags.is_enabled('new'))", "return(not(on('new')))"])
def test_parentheses_that_separate_words_stay(source):
    own = Conventions(calls=(CallPattern(function="is_enabled"), CallPattern(function="on")))
    after = clean(f"def f():\n    {source}\n", conventions=own)
    compile(after, "f", "exec")
    assert "new" not in after
