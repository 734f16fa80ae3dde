"""Does the page say which flags should go, and why?"""

from __future__ import annotations


def test_flags_that_should_go_are_shown_with_their_reasons(client, set_by_hand):
    set_by_hand("old_<one>")
    assert "Which flags should go?" in client.get("/flags").text
    page = client.get("/flags?stale=1").text
    assert "set in staging, and defined nowhere" in page
    assert "old_&lt;one&gt;" in page
    assert "old_<one>" not in page
    assert "No flag is stale" in client.get("/flags?stale=1&match=navigation").text


def test_programs_read_them_page_by_page(client, application, set_by_hand):
    set_by_hand("one", "three", "two", environment="dev")
    allowed = {"Authorization": f"Bearer {application.token}"}
    first = client.get("/api/v1/stale-flags?limit=2", headers=allowed)
    assert [each["flag"] for each in first.json()] == ["one", "three"]
    assert first.json()[0]["reasons"] == [
        {"reason": "no_definition", "text": "set in dev, and defined nowhere", "since": None}
    ]
    assert "after=three" in first.headers["link"]
    last = client.get("/api/v1/stale-flags?limit=2&after=three", headers=allowed).json()
    assert [each["flag"] for each in last] == ["two"]
    assert client.get("/api/v1/stale-flags?reason=fully_on", headers=allowed).json() == []
    refused = client.get("/api/v1/stale-flags?reason=old", headers=allowed)
    assert refused.status_code == 400
    assert "fully_on" in refused.json()["hint"]
