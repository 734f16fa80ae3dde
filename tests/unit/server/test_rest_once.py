"""A request with a key is carried out once, and a change can be tied to what was seen before it."""

from __future__ import annotations

import threading

from flagstaff.commands.access_model import CreateToken
from flagstaff.commands.codec import encode_command
from flagstaff.commands.model import SetFlag
from flagstaff.flags.change import Boolean
from flagstaff.services.person import ENGINE
from flagstaff.services.views import audit

PLACE = "/api/v1/flags/new_navigation/environments/dev"
ON = {"change": {"kind": "Boolean", "value": True}}
QUARTER = {"change": {"kind": "PercentageOfActors", "value": "25"}}
SET = encode_command(
    SetFlag(flag="new_navigation", environments=("dev",), change=Boolean(value=True))
)


def put(client, body=ON, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.put(f"{PLACE}/gates", json=body, headers=named)


def entries(application):
    return len(application.services.ask(audit, ENGINE))


def test_a_repeat_with_the_same_key_is_answered_as_the_first_time(client, application):
    first = put(client, idempotency_key="k-1")
    put(client, QUARTER)
    before = entries(application)
    again = put(client, idempotency_key="k-1")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert entries(application) == before
    assert client.get(PLACE).json()["gates"]["percentage_of_actors"] == "25"


def test_the_same_command_by_another_way_in_is_the_same_request(client, application):
    put(client, idempotency_key="k-1")
    again = client.post("/api/v1/commands", json=SET, headers={"idempotency-key": '"k-1"'})
    assert again.headers["idempotency-replayed"] == "true"
    assert entries(application) == 1


def test_a_key_that_comes_back_with_another_request_is_refused(client):
    put(client, idempotency_key="k-1")
    other = put(client, QUARTER, idempotency_key="k-1")
    assert other.status_code == 422
    assert other.json()["code"] == "key_reused"


def test_keys_belong_to_whoever_asks(client, application):
    for name in ("ada", "grace"):
        answer = put(client, idempotency_key="k-1", x_flagstaff_person=name)
        assert "idempotency-replayed" not in answer.headers
    assert entries(application) == 2


def test_what_failed_or_was_a_rehearsal_leaves_its_key_free(client):
    wrong = {"change": {"kind": "PercentageOfActors", "value": "250"}}
    assert put(client, wrong, idempotency_key="k-1").status_code == 400
    dry = client.put(
        f"{PLACE}/gates", json=ON, params={"dry_run": "true"}, headers={"idempotency-key": "k-1"}
    )
    assert "nothing was changed" in dry.json()["text"]
    assert "idempotency-replayed" not in put(client, idempotency_key="k-1").headers


def test_an_answer_with_a_secret_is_never_kept(client):
    body = encode_command(CreateToken(label="ci", roles=("viewer",)))
    answer = client.post("/api/v1/commands", json=body, headers={"idempotency-key": "k-1"})
    assert answer.status_code == 400
    assert "holds a secret" in answer.json()["detail"]


def test_of_many_at_the_same_time_one_is_carried_out(client, application):
    answers = []

    def ask():
        answers.append(put(client, idempotency_key="k-1"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [each.status_code for each in answers] == [200] * 8
    assert sum("idempotency-replayed" in each.headers for each in answers) == 7
    assert entries(application) == 1


def test_a_change_is_made_only_to_what_was_seen(client):
    seen = client.get(PLACE).headers["etag"]
    assert put(client, if_match=seen).status_code == 200
    stale = put(client, QUARTER, if_match=seen, x_flagstaff_person="grace")
    assert stale.status_code == 412
    body = stale.json()
    assert body["code"] == "changed"
    assert "last by api at" in body["detail"]
    assert "new_navigation set to true in dev" in body["detail"]
    assert put(client, QUARTER, if_match=client.get(PLACE).headers["etag"]).status_code == 200
    assert put(client, if_match="*").status_code == 200
    assert client.delete(f"{PLACE}/gates", headers={"if-match": seen}).status_code == 412
    weak = "W/" + client.get(PLACE).headers["etag"]
    assert put(client, if_match=weak).status_code == 412


def test_a_repeat_is_answered_though_the_thing_has_changed_since(client):
    seen = client.get(PLACE).headers["etag"]
    put(client, if_match=seen, idempotency_key="k-1")
    assert put(client, if_match=seen, idempotency_key="k-1").status_code == 200


def test_what_the_caller_has_already_is_not_sent_again(client, rollout):
    for path in (PLACE, f"/api/v1/rollouts/{rollout}", "/api/v1/environments/dev/snapshot"):
        tag = client.get(path).headers["etag"]
        for known in (tag, f'"other", W/{tag}', "*"):
            answer = client.get(path, headers={"if-none-match": known})
            assert (answer.status_code, answer.content) == (304, b"")
            assert answer.headers["etag"] == tag
        assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200


def test_a_rollout_moves_only_from_where_it_was_seen(client, rollout):
    path = f"/api/v1/rollouts/{rollout}"
    seen = client.get(path).headers["etag"]
    assert client.post(f"{path}/start", headers={"if-match": seen}).status_code == 200
    reason = {"reason": "enough"}
    stale = client.post(f"{path}/abort", json=reason, headers={"if-match": seen})
    assert stale.status_code == 412
    assert f"rollout {rollout} is no longer as the tag says; last by api" in stale.json()["detail"]
    now = client.get(path).headers["etag"]
    assert client.post(f"{path}/abort", json=reason, headers={"if-match": now}).status_code == 200
