"""python-gitlab's own `gl.features` works against a server of ours."""

from __future__ import annotations

import gitlab
import pytest

from flagstaff.flags.change import Boolean

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]


@pytest.fixture
def gl(server):
    with gitlab.Gitlab(server.url, private_token=server.token, timeout=30) as client:
        yield client


@pytest.fixture(autouse=True)
def _nothing_set(server):
    yield
    for environment in ("production", "dev"):
        for name in ("new_navigation", "dark_mode", "old_search"):
            server.forget(name, environment)


def gates_of(feature):
    return {gate["key"]: gate["value"] for gate in feature.gates}


def test_a_flag_is_set_listed_and_deleted(gl):
    assert gl.features.list() == []
    feature = gl.features.set("new_navigation", True)
    assert feature.state == "on"
    assert feature.definition["milestone"] == "15.1"
    (listed,) = gl.features.list()
    assert listed.attributes == feature.attributes
    listed.delete()
    assert gl.features.list() == []
    gl.features.delete("new_navigation")
    gl.features.delete("never_heard_of")


def test_a_bare_number_is_a_percentage_of_time(gl):
    assert gates_of(gl.features.set("new_navigation", 42)) == {
        "boolean": False,
        "percentage_of_time": 42,
    }


def test_extra_words_travel_in_the_query_and_count(gl):
    feature = gl.features.set(
        "new_navigation", 25, query_parameters={"key": "percentage_of_actors"}
    )
    assert feature.state == "conditional"
    assert gates_of(feature) == {"boolean": False, "percentage_of_actors": 25}
    again = gl.features.set("new_navigation", 30, key="percentage_of_actors")
    assert gates_of(again) == {"boolean": False, "percentage_of_actors": 30}


def test_older_versions_write_two_slashes(gl):
    given = {"value": True, "user": "7"}
    made = gl.http_post("/features//new_navigation", post_data=given)
    assert made["gates"][1] == {"key": "actors", "value": ["User:7"]}
    gl.http_delete("/features//new_navigation")
    assert gl.http_list("/features/", get_all=True) == []


def test_targets_of_several_kinds(gl):
    gl.features.set("new_navigation", True, user="ada,bo", project="gitlab-org/gitaly")
    feature = gl.features.set(
        "new_navigation", "true", feature_group="gitlab_team_members", namespace="ada"
    )
    assert gates_of(feature) == {
        "boolean": False,
        "actors": ["Namespace:ada", "Project:gitlab-org/gitaly", "User:ada", "User:bo"],
        "groups": ["gitlab_team_members"],
    }
    feature = gl.features.set("new_navigation", False, user="bo")
    assert "User:bo" not in gates_of(feature)["actors"]


def test_opting_out_and_back_in(gl):
    feature = gl.features.set("new_navigation", "opt_out", user="7")
    assert gates_of(feature)["actors"] == ["User:7:opt_out"]
    with pytest.raises(gitlab.GitlabSetError, match="Opt-out exists for User:7") as refused:
        gl.features.set("new_navigation", True, user="7")
    assert refused.value.response_code == 400
    assert gates_of(gl.features.set("new_navigation", "remove_opt_out", user="7")) == {
        "boolean": False
    }


def test_a_percentage_narrows_a_flag_that_is_on(gl):
    gl.features.set("new_navigation", True)
    feature = gl.features.set("new_navigation", 10, key="percentage_of_actors")
    assert (feature.state, gates_of(feature)["percentage_of_actors"]) == ("conditional", 10)


def test_a_refusal_reaches_the_asker_in_words(gl):
    with pytest.raises(gitlab.GitlabSetError, match="101 is above 100"):
        gl.features.set("new_navigation", 101)
    with pytest.raises(gitlab.GitlabSetError, match="Cannot set 'new_navigation' to \"maybe\""):
        gl.features.set("new_navigation", "maybe")
    with pytest.raises(gitlab.GitlabSetError, match="key, user are mutually exclusive"):
        gl.features.set("new_navigation", 5, user="7", key="percentage_of_time")
    with pytest.raises(gitlab.GitlabSetError, match="did you mean new_navigation"):
        gl.features.set("new_navigatoin", True)
    assert gl.features.list() == []


def test_another_environment_by_address_and_by_header(server, gl):
    url = f"{server.url}/environments/dev"
    with gitlab.Gitlab(url, private_token=server.token) as dev:
        dev.features.set("new_navigation", True)
        assert [each.name for each in dev.features.list()] == ["new_navigation"]
    assert gl.features.list() == []
    gl.headers["X-Flagstaff-Environment"] = "dev"
    assert [each.name for each in gl.features.list()] == ["new_navigation"]


def test_the_definitions(gl):
    found = gl.http_get("/features/definitions")
    assert [each["name"] for each in found] == [
        "button",
        "dark_mode",
        "new_navigation",
        "new_search",
        "old_search",
    ]
    assert found[4] == {
        "name": "old_search",
        "feature_issue_url": None,
        "introduced_by_url": "https://example.com/1",
        "rollout_issue_url": None,
        "milestone": "15.1",
        "log_state_changes": None,
        "type": "ops",
        "group": "group::navigation",
        "default_enabled": True,
        "intended_to_rollout_by": None,
    }


def test_a_wrong_token_is_an_authentication_error(server):
    with (
        gitlab.Gitlab(server.url, private_token="wrong") as client,
        pytest.raises(gitlab.GitlabAuthenticationError, match="401 Unauthorized"),
    ):
        client.features.list()


def test_an_oauth_token_is_the_same_token(server):
    with gitlab.Gitlab(server.url, oauth_token=server.token) as client:
        assert client.features.list() == []


def test_a_change_is_in_the_audit_as_one_by_the_api(server, gl):
    gl.headers["X-Flagstaff-Person"] = "ada"
    gl.features.set("dark_mode", True)
    entry = server.audit("dark_mode")[0]
    assert (entry["who"], entry["source"]) == ("ada", "api")
    assert entry["action"] == "flag.set"


def test_what_others_set_is_seen(server, gl):
    server.set("dark_mode", Boolean(value=False))
    (feature,) = gl.features.list()
    assert (feature.name, feature.state) == ("dark_mode", "off")
