"""Only what is a flag's for certain counts as such."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.data import entries
from flagstaff.cleanup.data.entries import flag_entries
from flagstaff.cleanup.data.yaml_nodes import yaml_documents


def doubts(text, flag="new_menu", path="config/app.yml"):
    return [each.doubt for each in flag_entries(path, yaml_documents(text), flag)]


@pytest.mark.parametrize(
    "text",
    [
        "feature_flags: [new_menu]",
        "app: {features: {new_menu: false}}",
        "features: {newMenu: false}",
        "toggles: [{name: new_menu, enabled: true}]",
        "flags: {new_menu: {state: ENABLED, variants: {on: true}}}",
        "flagValues: {new_menu: true}",
        "feature_flags: {production: {new_menu: true}}",
        "feature_flags: {default: [new_menu]}",
        "feature_flags: [{new_menu: true}]",
        "switches: {new_menu: 25}",
        "[{model: waffle.flag, pk: 1, fields: {name: new_menu, everyone: true}}]",
        "objects: {waffle.switch: [{name: new_menu, active: true, note: The menu}]}",
        "{waffle.flag: [{name: new_menu, note: The menu}]}",
    ],
)
def test_entries_of_tables_are_certain(text):
    assert doubts(text) == [""]


@pytest.mark.parametrize("path", ["config/features.yml", "feature-flags.json", "flags.yaml"])
def test_a_file_may_be_a_table_by_its_name(path):
    assert doubts("new_menu: true", path=path) == [""]
    assert doubts("production: {new_menu: true}", path=path) == [""]
    assert doubts("other: {new_menu: true}", path=path) == []


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("features: {new_menu: Try the new menu!}", entries.OTHER_THINGS),
        ("features: {new_menu: {title: New, text: Try it}}", entries.OTHER_THINGS),
        ("features: [{id: new_menu, title: New}]", entries.OTHER_THINGS),
        ("[{model: app.feature, fields: {name: new_menu}}]", entries.REFERRED_TO),
        ("env: [{name: FEATURE_NEW_MENU, value: 'on'}]", entries.VARIABLE),
    ],
)
def test_doubtful_entries_are_told(text, doubt):
    assert doubts(text) == [doubt]


@pytest.mark.parametrize(
    "text",
    [
        "menus: [new_menu]",
        "features: {other: {requires: [new_menu]}}",
        "properties: {features: {properties: {new_menu: {type: boolean}}}}",
        "features: {other: new_menu}",
        "env: {RENEW_MENU: 1, NEW_MENU_COLOUR: 2}",
        "[{model: menu.menu, fields: {name: new_menu}}]",
    ],
)
def test_what_stands_elsewhere_is_no_entry(text):
    assert doubts(text) == []


def test_a_common_word_is_doubtful():
    assert doubts("features: [search]", "search") == [entries.COMMON_WORD]
    assert doubts("flags: {search: true}", "search") == [entries.COMMON_WORD]
    assert doubts("feature_flags: {search: true}", "search") == [""]
    assert doubts("env: {SEARCH: 1}", "search") == []


@pytest.mark.parametrize("path", ["tests/data/answer.yml", "app/test_flags.yml", "spec/x.yml"])
def test_data_of_tests_is_doubtful(path):
    assert doubts("flags: [new_menu]", path=path) == [entries.EXPECTED]


@pytest.mark.parametrize(
    "text",
    ["environment: {FF_MENU: 1}", "environment: [FF_MENU=1]", "env: [{name: FF_MENU, value: 1}]"],
)
def test_a_variable_with_the_very_name_is_certain(text):
    (found,) = flag_entries("compose.yml", yaml_documents(text), "FF_MENU")
    assert (found.doubt, found.variable) == ("", True)
