import pytest

from flagstaff.cli.options import Common, take_common
from flagstaff.errors import UsageError


@pytest.mark.parametrize(
    ("words", "common", "rest"),
    [
        ([], Common(), []),
        (["--json", "rollout", "list"], Common(json=True), ["rollout", "list"]),
        (["rollout", "--yes", "list", "--dry-run"], Common(yes=True, dry_run=True), None),
        (["rollout", "list", "--server", "http://a:1"], Common(server="http://a:1"), None),
        (["--server=http://a:1", "rollout", "list"], Common(server="http://a:1"), None),
        (["run", "--", "--json", "--"], Common(), ["run", "--", "--json", "--"]),
    ],
)
def test_common_options_may_stand_anywhere_before_two_dashes(words, common, rest):
    assert take_common(words) == (common, ["rollout", "list"] if rest is None else rest)


@pytest.mark.parametrize("words", [["--server"], ["--server="], ["--server", "--json", "x"]])
def test_a_server_needs_an_address_and_takes_no_other_option_for_one(words):
    with pytest.raises(UsageError, match="needs an address") as caught:
        take_common(words)
    assert "http://" in caught.value.hint


def test_what_cannot_be_tried_refuses_a_dry_run():
    with pytest.raises(UsageError, match="`flagstaff server` cannot be a dry run"):
        Common(dry_run=True).no_dry_run("flagstaff server")
    Common().no_dry_run("flagstaff server")
