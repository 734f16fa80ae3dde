"""Can somebody who is refused on a page overrule it there, and is it shown afterwards?"""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

IGNORE = "ignore-feature-flag-consistency-check"


@pytest.fixture
def submit(client):
    def submit(**fields):
        body = urlencode(
            {
                "environment": "production",
                "value": "true",
                "how": "everyone",
                "sure": "production",
                **fields,
            },
            doseq=True,
        )
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return client.post(
            "/flags/new_navigation", content=body, headers=headers, follow_redirects=False
        )

    return submit


def test_a_refusal_says_how_it_is_overruled_and_offers_where(client, submit):
    assert 'name="overrides"' not in client.get("/flags/new_navigation").text
    refused = submit(reason="why not")
    assert refused.status_code == 403
    assert "off in staging" in refused.text
    assert f"--{IGNORE}" in refused.text
    assert 'name="overrides"' in refused.text


def test_an_override_is_taken_and_shown_with_its_reason(client, submit):
    assert submit(reason="", overrides=IGNORE).status_code == 400
    assert submit(reason="staging is down", overrides=f" {IGNORE}, max-step").status_code == 303
    page = client.get("/flags/new_navigation").text
    assert f"overruled: <strong>{IGNORE}</strong>" in page
    assert "staging is down" in page


def test_to_forget_a_flag_can_be_overruled_too(submit):
    submit(environment=["staging", "production"])
    assert submit(environment="staging", how="unset", value="").status_code == 403
    done = submit(environment="staging", how="unset", value="", overrides=IGNORE, reason="tidy")
    assert done.status_code == 303
