"""Does the page's script show the terminal command that does what the form does?"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

import flagstaff.web
from flagstaff.commands.grammar import parse
from flagstaff.flags.change import Actors
from flagstaff.web.flag_form import command_of
from flagstaff.web.forms import Form

SCRIPT = Path(flagstaff.web.__file__).parent / "static/flagstaff.js"
NODE = shutil.which("node")
BROWSER = """
const [script, fields] = process.argv.slice(1);
const heard = {};
const nothing = () => {};
const code = {}, copy = { dataset: {} };
const form = {
  dataset: { flag: "new_navigation" },
  querySelector: (words) => (words.endsWith("code") ? code : copy),
};
globalThis.window = {};
globalThis.navigator ??= {};
globalThis.addEventListener = nothing;
globalThis.setInterval = nothing;
globalThis.document = {
  addEventListener: (name, listener) => { heard[name] = listener; },
  querySelector: () => null, querySelectorAll: () => [],
};
globalThis.FormData = class {
  get(name) { return JSON.parse(fields)[name]?.[0] ?? null; }
  getAll(name) { return JSON.parse(fields)[name] ?? []; }
};
(0, eval)(require("fs").readFileSync(script, "utf8"));
heard.input({ target: { closest: () => form } });
const { disabled: off, dataset } = copy;
console.log(JSON.stringify({ text: code.textContent, copy: dataset.copy, off }));
"""

pytestmark = pytest.mark.skipif(NODE is None, reason="the script needs Node to run")


def shown(fields):
    done = subprocess.run(
        [NODE, "-e", BROWSER, str(SCRIPT), json.dumps(fields)],
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


def single(who):
    return {"environment": ["dev"], "how": ["single"], "value": ["true"], "who": [who]}


@pytest.mark.parametrize(
    "who",
    ["User:42", "Project:a/b, User:ada", "User:User:5", "User:@ada", "Repository:7"],
)
def test_the_command_names_the_actors_that_the_form_names(who):
    said = shown(single(who))
    assert said["text"] == said["copy"]
    words = shlex.split(said["text"])[1:]
    meant = command_of(Form(single(who)), "new_navigation")
    assert parse(words) == meant
    assert isinstance(meant.change, Actors)


@pytest.mark.parametrize("who", ["Custom:5", "user:5", "ada", "User:1,Custom:5", "Users:1"])
def test_actors_that_no_option_names_have_no_command(who):
    said = shown(single(who))
    assert "flagstaff" not in said["text"]
    assert said["copy"] == ""
    assert said["off"]
