"""Is what RabbitMQ sends back told from what it took?"""

from __future__ import annotations

from amqp import Message

from flagstaff.workers.rabbitmq_returned import Replaced, identity, pop


def replaced(number, target="new", body=b"[[], {}, {}]"):
    new = Message(body, application_headers={"id": str(number)}, correlation_id=str(number))
    return Replaced(old=None, new=new, queue="old", target=target, own=True)


def test_of_jobs_that_are_called_alike_the_one_that_came_back_is_found():
    waiting = [replaced(1), replaced(2), replaced(2, target="other")]
    second = waiting[1]
    # What comes back was decoded: its body may be text.
    came = identity("new", replaced(2, body="[[], {}, {}]").new)
    assert pop(waiting, came) is second
    assert [each.target for each in waiting] == ["new", "other"]


def test_what_is_not_known_again_stands_for_one_that_went_there_and_none_twice():
    waiting = [replaced(1), replaced(2)]
    strange = identity("new", Message(b"?"))
    assert {pop(waiting, strange).new.correlation_id for _ in range(2)} == {"1", "2"}
    assert pop(waiting, strange) is None
    assert pop([replaced(1)], identity("elsewhere", Message(b"?"))) is None
