"""What becomes of a whole repository of scripts, and of the names that its flag had there."""

from __future__ import annotations

import textwrap

from flagstaff.cleanup.changes import CleanupPlan
from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.references import references_in
from flagstaff.cleanup.tree import MemoryTree

FLAG = "new_menu"


def planned(files: dict[str, str], *, keep: bool = True) -> CleanupPlan:
    tree = MemoryTree({path: textwrap.dedent(text).encode() for path, text in files.items()})
    return plan_in(tree, CleanupRequest(flag=FLAG, keep=keep))


def after(files: dict[str, str], *, keep: bool = True) -> dict[str, str]:
    changed = planned(files, keep=keep).changes
    return {each.path: (each.after or b"").decode() for each in changed}


def test_imports_and_names_that_only_the_losing_side_used_go():
    source = """\
        import React, { memo } from "react";
        import { useFlag } from "./flags";
        import { oldMenu, newMenu } from "./menus";
        import * as stats from "./stats";
        import Legacy, { type Theme } from "./legacy";
        const { count, sum } = require("./count");

        const title = "Old";
        const Wrapped = memo(() => <b>{title}</b>);

        function draw(theme) {
          stats.send(sum(1));
          return <Wrapped theme={theme} />;
        }

        export function Menu() {
          if (useFlag("new_menu")) {
            return newMenu(count);
          }
          return <Legacy>{oldMenu(draw())}</Legacy>;
        }
    """
    assert after({"src/menu.tsx": source})["src/menu.tsx"] == textwrap.dedent("""\
        import React from "react";
        import { newMenu } from "./menus";
        import { type Theme } from "./legacy";
        const { count } = require("./count");

        export function Menu() {
          return newMenu(count);
        }
    """)


def test_what_nobody_used_before_either_stays():
    source = """\
        import { unusedBefore } from "./a";
        import "./style.css";
        import { useFlag } from "./flags";
        const idle = 1;
        export const size = useFlag("new_menu") ? 1 : 2;
        export const effect = make(useFlag);
    """
    done = after({"a.ts": source})["a.ts"]
    assert done == textwrap.dedent("""\
        import { unusedBefore } from "./a";
        import "./style.css";
        import { useFlag } from "./flags";
        const idle = 1;
        export const size = 1;
        export const effect = make(useFlag);
    """)


def test_names_that_hold_the_flags_name_are_followed_and_go():
    files = {
        "src/flags.ts": """\
            export const NEW_MENU = "new_menu";
            export const OLD_CART = "old_cart";

            export enum Flag {
              Cart = "old_cart",
              Menu = "new_menu",
            }
            export const Names = {
              menu: "new_menu",
              cart: "old_cart",
            } as const;
        """,
        "src/menu.ts": """\
            import { NEW_MENU, Flag, Names } from "./flags";
            export const a = isEnabled(NEW_MENU) ? 1 : 2;
            export const b = hasFlag(Flag.Menu) && hasFlag(Names.menu) ? 1 : 2;
            export const c = hasFlag(Flag.Cart);
        """,
    }
    done = after(files)
    assert done["src/menu.ts"] == textwrap.dedent("""\
        import { Flag } from "./flags";
        export const a = 1;
        export const b = 1;
        export const c = hasFlag(Flag.Cart);
    """)
    assert done["src/flags.ts"] == textwrap.dedent("""\
        export const OLD_CART = "old_cart";

        export enum Flag {
          Cart = "old_cart",
        }
        export const Names = {
          cart: "old_cart",
        } as const;
    """)


def test_a_constant_that_something_still_uses_stays_and_is_said():
    files = {
        "flags.js": 'export const NEW_MENU = "new_menu";\n',
        "menu.js": 'import { NEW_MENU } from "./flags";\nsend(NEW_MENU);\n',
    }
    plan = planned(files)
    assert plan.changes == ()
    assert [str(each.reference) for each in plan.residues] == [
        'flags.js:1: export const NEW_MENU = "new_menu";',
        'menu.js:1: import { NEW_MENU } from "./flags";',
        "menu.js:2: send(NEW_MENU);",
    ]
    assert plan.residues[0].reason == "holds the flag's name, and something still uses it"


def test_each_line_of_a_script_is_told_with_its_way():
    source = """\
        // new_menu comes soon
        const NEW_MENU = "new_menu";
        if (isOn(NEW_MENU)) run(`new_menu_2`, "a new_menu b");
        setFlag("new_menu");
        features.newMenu = 1;
        const other = "my-new_menu";
    """
    tree = MemoryTree({"a.ts": textwrap.dedent(source).encode()})
    found = [(each.line, each.kind.value) for each in references_in(tree, FLAG)]
    assert found == [
        (1, "comment"),
        (2, "constant"),
        (3, "call"),
        (4, "string"),
        (5, "text"),
    ]


def test_tables_and_types_that_list_flags_lose_the_flag():
    source = """\
        export type FlagName = "old_cart" | "new_menu" | "sso";
        export type Feature =
          | "new_menu"
          | "sso";
        interface Features {
          new_menu: boolean;
          sso: boolean;
        }
        export const featureFlags = { newMenu: false, sso: true };
        export const FLAGS = ["old_cart", "new_menu"];
        export const menus = ["new_menu", "old_menu"];
        if (useFlag("new_menu")) run(menus);
    """
    assert after({"a.ts": source})["a.ts"] == textwrap.dedent("""\
        export type FlagName = "old_cart" | "sso";
        export type Feature =
          | "sso";
        interface Features {
          sso: boolean;
        }
        export const featureFlags = { sso: true };
        export const FLAGS = ["old_cart"];
        export const menus = ["new_menu", "old_menu"];
        run(menus);
    """)


def test_what_stays_is_said_with_its_line_and_reason():
    files = {
        "a.js": "run({ isNew: useFlag('new_menu') });\nsetFlag('new_menu', true);\n",
        "b.js": "if (useFlag('new_menu') {\n",
        "c.vue": "<script>\nif (useFlag('new_menu')) run();\n</script>\n",
    }
    plan = planned(files)
    assert {change.path for change in plan.changes} == {"a.js"}
    assert [(each.reference.path, each.reference.line) for each in plan.residues] == [
        ("a.js", 1),
        ("a.js", 2),
        ("b.js", 1),
        ("c.vue", 2),
    ]
    assert "bare answer" in plan.residues[0].reason


def test_a_name_of_a_page_that_is_no_module_stays_for_its_other_scripts():
    source = "var isNew = useFlag('new_menu');\nfunction old() {}\nif (!isNew) old();\n"
    assert after({"a.js": source})["a.js"] == "var isNew = true;\nfunction old() {}\n"
