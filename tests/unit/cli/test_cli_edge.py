"""What the edge's command refuses before anything is started."""

from __future__ import annotations

import json

import pytest

from flagstaff.cli.main import run


def said(capsys, *words):
    code = run(["edge", "--json", *words])
    return code, json.loads(capsys.readouterr().out)["error"]


def test_what_is_missing_is_named_with_its_variable(capsys):
    code, error = said(capsys)
    assert code == 2
    assert error["message"] == "--upstream is missing"
    assert "FLAGSTAFF_EDGE_UPSTREAM" in error["hint"]
    code, error = said(capsys, "--upstream", "http://flags.internal")
    assert (code, error["message"]) == (2, "--token-file is missing")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--max-stale", "soon"], 2, "not a length of time"),
        (["--max-stale", "5s"], 2, "too short"),
        (["--host", "10.0.0.7"], 1, "without --public-url"),
        (["--public", "--environments", "a,b"], 2, "serves one environment"),
    ],
)
def test_options_that_do_not_go_together(capsys, tmp_path, words, code, message):
    token_file = tmp_path / "token"
    token_file.write_text("secret")
    usual = ["--upstream", "http://flags.internal", "--token-file", str(token_file)]
    found, error = said(capsys, *usual, *words)
    assert found == code
    assert message in error["message"]


def test_a_dry_run_is_not_possible(capsys):
    code, error = said(capsys, "--dry-run")
    assert code == 2
    assert "cannot be a dry run" in error["message"]
