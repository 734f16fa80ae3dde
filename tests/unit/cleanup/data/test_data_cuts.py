"""An entry leaves YAML and JSON with everything around it as it was."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.data.cuts import Uncuttable, without_entry
from flagstaff.cleanup.data.entries import flag_entries
from flagstaff.cleanup.data.json_nodes import json_documents
from flagstaff.cleanup.data.nodes import Unreadable
from flagstaff.cleanup.data.yaml_nodes import yaml_documents

FLAG = "new_menu"


def cut(text, read=yaml_documents):
    found = flag_entries("config/app.yml", read(text), FLAG)
    assert len(found) == 1, found
    return without_entry(text, found[0].place, read)


YAML = {
    "a pair": ("flags:\n  a: 1\n  new_menu: true\n  b: 2\n", "flags:\n  a: 1\n  b: 2\n"),
    "a pair and what is said in its line": (
        "flags:\n  new_menu: true  # soon\n  b: 'x' # y\n",
        "flags:\n  b: 'x' # y\n",
    ),
    "the comment of its own": (
        "flags:\n  # a\n  a: 1\n  # b\n  new_menu: true\n\n  b: 2\n",
        "flags:\n  # a\n  a: 1\n\n  b: 2\n",
    ),
    "the comment with its words": (
        "flags:\n  # The new menu.\n  new_menu: true\n  b: 2\n",
        "flags:\n  b: 2\n",
    ),
    "a heading stays": (
        "flags:\n  # All of them.\n  new_menu: true\n  b: 2\n",
        "flags:\n  # All of them.\n  b: 2\n",
    ),
    "what a file begins with stays": ("# a\nflags: [new_menu, b]\n", "# a\nflags: [b]\n"),
    "a pair with more in it": (
        "flags:\n  new_menu:\n    enabled: true\n    owner: |\n      us\n\n  b: 2\n",
        "flags:\n\n  b: 2\n",
    ),
    "an item": ("flags:\n- a\n- new_menu\n- b\n", "flags:\n- a\n- b\n"),
    "an item with more in it": (
        "flags:\n  - name: new_menu\n    enabled: off\n  - name: b\n",
        "flags:\n  - name: b\n",
    ),
    "in brackets, first": ("flags: [ new_menu, b ]\n", "flags: [ b ]\n"),
    "in brackets, last": ("flags: [a, new_menu] # x\n", "flags: [a] # x\n"),
    "in brackets, with a comma behind": ("flags: [a, new_menu,]\n", "flags: [a,]\n"),
    "in brackets, alone": ("flags: [\n  new_menu,\n]\nb: 1\n", "flags: []\nb: 1\n"),
    "in braces, before a mark of a key": (
        "flags: {new_menu: true, ? '' : 1}\n",
        "flags: {? '' : 1}\n",
    ),
    "in braces": ("flags: {a: 1, new_menu: true}\n", "flags: {a: 1}\n"),
    "the last pair": ("a: 1\nflags:  # x\n  new_menu: 1\nb: 2\n", "a: 1\nflags: {}  # x\nb: 2\n"),
    "the last item": ("flags:\n- new_menu\nb: 2\n", "flags: []\nb: 2\n"),
    "no value": ("flags:\n  new_menu:\n  b:\n", "flags:\n  b:\n"),
    "no line end": ("flags:\n  a: 1\n  new_menu: true", "flags:\n  a: 1\n"),
    "line ends of Windows": ("flags:\r\n  new_menu: 1\r\n  b: 2\r\n", "flags:\r\n  b: 2\r\n"),
    "many documents": (
        "---\na: é\n---\nflags:\n  new_menu: 1\n  b: 2\n---\n- c\n",
        "---\na: é\n---\nflags:\n  b: 2\n---\n- c\n",
    ),
    "an anchor that others use": (
        "flags:\n  b: &x {c: 1}\n  new_menu: true\n  d: *x\n",
        "flags:\n  b: &x {c: 1}\n  d: *x\n",
    ),
    "a tag that nobody knows": (
        "flags:\n  new_menu: true\na: !Ref b\n",
        "flags: {}\na: !Ref b\n",
    ),
}


@pytest.mark.parametrize("name", YAML)
def test_an_entry_leaves_yaml(name):
    before, expected = YAML[name]
    assert cut(before) == expected


JSON = {
    "a pair": ('{\n\t"flags": {\n\t\t"new_menu": true,\n\t\t"b": 1\n\t}\n}', "\n\t\t"),
    "an item": ('{"flags": ["a", "new_menu"]}\n', '["a"]'),
    "the only one": ('{"flags": {\n  "new_menu": {"enabled": true}\n}}\n', '{"flags": {}}'),
    "signs that are escaped": ('{"a\\"\\u007b": "\\/", "flags": ["new_menu"]}', '"flags": []'),
}


@pytest.mark.parametrize("name", JSON)
def test_an_entry_leaves_json(name):
    before, there = JSON[name]
    after = cut(before, json_documents)
    assert there in after
    assert FLAG not in after
    assert json_documents(after)


KEPT = {
    "an alias refers to it": "flags:\n  new_menu: &x {enabled: true}\n  b: *x\n",
    "a mark of a key": "flags:\n  ? new_menu\n  : true\n  b: 1\n",
    "a comment in the brackets": "flags: [new_menu, # x\n  b]\n",
    "a tag at what would be empty": "flags: !t\n  new_menu: true\n",
}


@pytest.mark.parametrize("name", KEPT)
def test_what_does_not_stand_apart_stays(name):
    with pytest.raises(Uncuttable):
        cut(KEPT[name])


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("{{ range }}\na: [", yaml_documents),
        ("a: 1\rb: 2\r", yaml_documents),
        ("a: 1\n\tb: 2\n", yaml_documents),
        ('{"a": 1, // b\n}', json_documents),
        ("", json_documents),
        ("[" * 100_000, json_documents),
    ],
)
def test_what_cannot_be_read_is_said(text, read):
    with pytest.raises(Unreadable):
        read(text)
