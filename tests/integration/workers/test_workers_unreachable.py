"""Is a broker that does not answer said to be so?"""

from __future__ import annotations

import pytest
from fleet import flagstaff

from ports import free_port

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]


@pytest.mark.parametrize(("command", "scheme"), [("ready", "amqp"), ("drained", "redis")])
def test_a_broker_that_is_away_is_unreachable(command, scheme):
    code, told = flagstaff(command, "n", "--broker", f"{scheme}://127.0.0.1:{free_port()}//")
    assert (code, told["error"]["code"]) == (3, "unavailable")
