"""What a script says once the answer of the flag is fixed."""

from __future__ import annotations

import textwrap

import pytest

from flagstaff.cleanup.scripts.asking import ScriptQuestion
from flagstaff.cleanup.scripts.rewrite import RewrittenScript, rewrite_script
from flagstaff.cleanup.scripts.source import Unreadable

FLAG = "new_menu"


def rewritten(text: str, *, keep: bool = True, path: str = "menu.jsx") -> RewrittenScript:
    question = ScriptQuestion(flag=FLAG, keep=keep, names=frozenset({"NEW_MENU"}))
    return rewrite_script(textwrap.dedent(text).encode(), path, question)


def cleaned(text: str, *, keep: bool = True, path: str = "menu.jsx") -> str:
    return rewritten(text, keep=keep, path=path).content.decode()


PAGE = """\
export function Menu({ user, old }) {
  const isNew = useFlag("new_menu");

  // new_menu: goes when everybody has it
  if (isNew) {
    // The menu of today.
    start(`a
      b`);
  } else {
    stop();
  }

  // Without it there is none.
  if (!isNew) {
    return old();
  }

  useEffect(() => {
    go(isNew ? 1 : 2);
  }, [isNew, user]);
  return (
    <Page kind={isNew ? "new" : "old"} {...props}>
      {isNew && (
        <Sub>
          text
        </Sub>
      )}
      {!isNew && <Old />}
      {isNew ? <A /> : <B />}
      {user && isNew && <C />}
    </Page>
  );
}
"""

PAGE_ON = """\
export function Menu({ user, old }) {
  // The menu of today.
  start(`a
      b`);

  useEffect(() => {
    go(1);
  }, [user]);
  return (
    <Page kind="new" {...props}>
      <Sub>
        text
      </Sub>
      <A />
      {user && <C />}
    </Page>
  );
}
"""

PAGE_OFF = """\
export function Menu({ user, old }) {
  stop();

  // Without it there is none.
  return old();
}
"""


def test_a_component_keeps_its_form_and_loses_the_flag():
    assert cleaned(PAGE) == PAGE_ON
    assert cleaned(PAGE, keep=False) == PAGE_OFF


@pytest.mark.parametrize(
    ("before", "on", "off"),
    [
        ('a = useFlag("new_menu") ? b : c;', "a = b;", "a = c;"),
        ("a = isEnabled('new_menu') && b;", "a = b;", "a = false;"),
        ("a = flags.isEnabled(`new_menu`, user) || b;", "a = true;", "a = b;"),
        ("if (b && hasFeature(NEW_MENU)) c();", "if (b) c();", ""),
        ("a = b && hasFeature(NEW_MENU);", "a = b && true;", "a = b && false;"),
        ("if (!gon.features.newMenu) c();", "", "c();"),
        ("while (isDisabled('new_menu')) c();", "", "while (true) c();"),
        ("a = isDisabled('new_menu') ? b : c;", "a = c;", "a = b;"),
        ("a = () => (useFlag('new_menu') ? {b} : {});", "a = () => ({b});", "a = () => ({});"),
        ("a = () => useFlag('new_menu') ? {b} : c;", "a = () => ({b});", "a = () => c;"),
        ("if (a) b(); else if (useFlag('new_menu')) c();", "if (a) b(); else c();", "if (a) b();"),
        ("f({...(useFlag('new_menu') && {a: 1}), b});", "f({a: 1, b});", "f({b});"),
        ("f([...(useFlag('new_menu') ? [a] : []), b]);", "f([a, b]);", "f([b]);"),
        ("a = `x ${useFlag('new_menu') ? 'y' : b}`;", "a = `x y`;", "a = `x ${b}`;"),
        ("a = (await isEnabled('new_menu')) ? b : c;", "a = b;", "a = c;"),
        ("if (isEnabled('new_menu') === false) c();", "", "c();"),
        ("if (client.variation('new_menu', false)) c();", "c();", ""),
        ("if (useFeature('new_menu').on) c();", "c();", ""),
        ("if (a) { if (useFlag('new_menu')) { b(); } }", "if (a) { b(); }", ""),
        ("if (a()) { if (useFlag('new_menu')) { b(); } }", "if (a()) { b(); }", "a();"),
        (
            "if (a == b) { if (useFlag('new_menu')) { c(); } } else { d(); }",
            "if (a == b) { c(); } else { d(); }",
            "if (a != b) { d(); }",
        ),
    ],
)
def test_what_is_decided_goes(before, on, off):
    assert cleaned(before).strip() == on
    assert cleaned(before, keep=False).strip() == off


@pytest.mark.parametrize(
    "text",
    [
        "setFlag('new_menu', true);",
        "isEnabled('new_menu').then((on) => run(on));",
        "const { enabled } = useFlag('new_menu');",
        "const found = useFlag('new_menu'); run(found.payload);",
        "const found = useFlag('new_menu'); const { on } = found;",
        "isEnabled('new_menu')(state);",
        "const on = useSelector(isEnabled('new_menu'));",
        "if (isEnabled('new_menu', (a = 1))) run();",
        "gon.features.newMenu = true;",
        "gon.features.newMenu.push(1);",
        "if (process.env.new_menu) run();",
        "client.variation('new_menu', 'blue') === 'red';",
        "if (isEnabled('new_menu_2')) run();",
        "// isEnabled('new_menu')",
    ],
)
def test_what_is_not_sure_stays(text):
    assert cleaned(text) == text


def test_a_name_of_the_branch_that_is_taken_outside_keeps_its_braces():
    before = "function f(a) { const b = 1; if (useFlag('new_menu')) { const b = 2; g(b); } h(b); }"
    after = "function f(a) { const b = 1; { const b = 2; g(b); } h(b); }"
    assert cleaned(before) == after


def test_a_name_of_the_code_behind_that_goes_is_none_outside():
    before = (
        "function f() { if (useFlag('new_menu')) { const b = 1; return b; } const b = 2; g(b); }"
    )
    assert cleaned(before) == "function f() { const b = 1; return b; }"


def test_of_a_variable_of_which_only_the_truth_counts_only_the_truth_stays():
    before = "function f() { const on = a() && useFlag('new_menu'); if (on) b(); return on && c; }"
    after = "function f() { const on = a(); if (on) b(); return on && c; }"
    assert cleaned(before) == after
    used = "function f() { const on = a() && useFlag('new_menu'); return on; }"
    assert cleaned(used) == used.replace("useFlag('new_menu')", "true")


def test_what_fits_on_a_line_again_stands_on_one():
    before = """\
        if (
          a() &&
          useFlag("new_menu")
        ) {
          b();
        }
    """
    assert cleaned(before) == "if (a()) {\n  b();\n}\n"


def test_what_is_left_of_a_value_stands_beside_its_name_where_it_fits():
    before = "const a =\n  isEnabled('new_menu') &&\n  b.c('d');\n"
    assert cleaned(before) == "const a = b.c('d');\n"
    assert cleaned("x = {\n  a:\n    isEnabled('new_menu') && b,\n};\n") == "x = {\n  a: b,\n};\n"
    said = "const a = // why\n  isEnabled('new_menu') ? b : c;\n"
    assert cleaned(said) == "const a = // why\n  b;\n"
    longest = f"const a = {'b' * 69};\n"
    wide = "const a =\n  isEnabled('new_menu') ? {} : c;\n"
    assert cleaned(wide.format("b" * 69)) == longest
    assert cleaned(wide.format("b" * 70)) == f"const a =\n  {'b' * 70};\n"
    assert cleaned(wide.format("b(\n    c,\n  )")) == "const a =\n  b(\n    c,\n  );\n"


def test_a_condition_that_lost_an_operand_stands_on_one_row_where_it_fits():
    before = "if (\n  {} &&\n  !b.c('d') &&\n  isEnabled('new_menu')\n) {{\n  e();\n}}\n"
    assert cleaned(before.format("a")) == "if (a && !b.c('d')) {\n  e();\n}\n"
    spaced = before.format("a('&&  ||')")
    assert cleaned(spaced) == "if (a('&&  ||') && !b.c('d')) {\n  e();\n}\n"
    wide = before.format("a" * 70)
    assert cleaned(wide) == wide.replace(" &&\n  isEnabled('new_menu')", "")
    said = before.format("a && // why\n  f")
    assert cleaned(said) == said.replace(" &&\n  isEnabled('new_menu')", "")
    told = before.replace("if (\n  {}", "if ({}").format("a")
    assert cleaned(told) == told.replace(" &&\n  isEnabled('new_menu')", "")


def test_a_line_without_semicolon_does_not_go_on_in_the_next():
    assert cleaned("a = b\nif (useFlag('new_menu')) { (c)() }\n") == "a = b\n;(c)()\n"
    before = "a = b\nif (useFlag('new_menu')) { d() }\n[c].map(e)\n"
    assert cleaned(before, keep=False) == "a = b\n;\n[c].map(e)\n"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        # What stands between the two goes in the same round as the `if`.
        (
            "{\n  run(k)\n  const on = useFlag('new_menu');\n  if (on) { (c)(); }\n}\n",
            "{\n  run(k)\n  ;(c)();\n}\n",
        ),
        ("if (p) a = b\nif (useFlag('new_menu')) { (c)() }\n", "if (p) a = b\n;(c)()\n"),
        ("for (;;) a = b\nif (useFlag('new_menu')) { [c] }\n", "for (;;) a = b\n;[c]\n"),
        (
            "if (p) {\n  a = b;\n} else a = c\nif (useFlag('new_menu')) { (c)() }\n",
            "if (p) {\n  a = b;\n} else a = c\n;(c)()\n",
        ),
        # A block has an end.
        ("if (p) { a }\nif (useFlag('new_menu')) { (c)() }\n", "if (p) { a }\n(c)()\n"),
        (
            "export function a() {}\nif (useFlag('new_menu')) { (c)() }\n",
            "export function a() {}\n(c)()\n",
        ),
        ("do { a } while (b)\nif (useFlag('new_menu')) { (c)() }\n", "do { a } while (b)\n(c)()\n"),
        # Of this `if` its test stays, which is a call that opens with a bracket.
        (
            "a = b\nif ((c)()) { if (!useFlag('new_menu')) { d(); } }\n",
            "a = b\n;(c)();\n",
        ),
    ],
)
def test_a_statement_that_moves_up_is_not_taken_for_the_end_of_another(text, after):
    assert cleaned(text) == after


def test_a_function_keeps_its_this():
    text = "(useFlag('new_menu') && a.b)(c);"
    assert cleaned(text) == "(true && a.b)(c);"


def test_a_bare_answer_is_told_by_its_line():
    done = rewritten("a();\nrun({ isNew: useFlag('new_menu') });\n")
    assert (done.content, done.answers) == (b"a();\nrun({ isNew: true });\n", (2,))


def test_other_constants_of_the_script_stay_as_they_are():
    text = "while (true) { if (false) { a(); } else if (useFlag('new_menu')) { b(); } }"
    after = "while (true) { if (false) { a(); } else { b(); } }"
    assert cleaned(text) == after


def test_types_go_with_the_question():
    before = "const on: boolean = useFlag('new_menu') as boolean;\nexport const a = on! ? b : c;\n"
    assert cleaned(before, path="menu.ts") == "export const a = b;\n"
    assert cleaned("if (<boolean>isEnabled('new_menu')) a();", path="menu.ts") == "a();"


def test_lines_keep_their_ends():
    before = "f();\r\nif (useFlag('new_menu')) {\r\n  g();\r\n  h();\r\n}\r\n"
    assert cleaned(before) == "f();\r\ng();\r\nh();\r\n"


@pytest.mark.parametrize("text", ["if (", "const a = (1;", "x = `"])
def test_what_does_not_parse_is_refused(text):
    with pytest.raises(Unreadable):
        rewritten(text)


def test_an_ampersand_in_the_text_of_a_page_is_no_mistake():
    source = "const a = <p>\n  R & D {useFlag('new_menu') && <b>On & off</b>} &amp; more\n</p>;\n"
    after = "const a = <p>\n  R & D <b>On & off</b> &amp; more\n</p>;\n"
    assert cleaned(source) == after
    for mistake in ("const a = <p>{b & }</p>", "const a = <p b=& />", "const a = & b"):
        with pytest.raises(Unreadable):
            rewritten(f"{mistake};\nuseFlag('new_menu');\n")


def test_another_flag_that_decides_nothing_any_more_is_not_asked():
    source = "{user && (!hasFeature('old') || useFlag('new_menu')) && <b />}"
    assert cleaned(f"x = <p>{source}</p>;\n") == "x = <p>{user && <b />}</p>;\n"
    # What may do something else is still called.
    for call in ("load('old')", "hasFeature('old', load())", "setFeature('old')"):
        more = source.replace("hasFeature('old')", call)
        assert call in cleaned(f"x = <p>{more}</p>;\n")


def test_a_script_of_the_old_name_is_one():
    source = "if (useFlag('new_menu')) {\n  a();\n}\n"
    assert cleaned(source, path="menu.es6") == "a();\n"
