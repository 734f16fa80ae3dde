"""Does everybody get the piece that is written to all, and the slow and the gone what they need?"""

import socket
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from flagstaff.server.streams.encoded import Encoded
from flagstaff.server.streams.writing import FEW, Writer

OLD = Encoded(version=1, etag="old", body=b"old")
NEW = Encoded(version=2, etag="new", body=b"new")
TEXT = b"from old to new"


class Listener:
    """One end of a real pair of sockets."""

    def __init__(self, fileno, had=OLD, text=TEXT):
        self.fileno, self.had, self.text = fileno, had, text
        self.heard, self.counts = [], []

    def frames(self, had, latest):
        assert (had, latest) == (OLD, NEW)
        return SimpleNamespace(chunk=self.text)

    def hear(self, latest):
        self.heard.append(latest)

    def took(self, data, count):
        self.counts.append((data, count))


@pytest.fixture
def pairs():
    with ExitStack() as stack:

        def make(count):
            made = [socket.socketpair() for _ in range(count)]
            for pair in made:
                for end in pair:
                    end.setblocking(False)
                    stack.enter_context(end)
            return made

        yield make


@pytest.fixture
def writer():
    writer = Writer()
    yield writer
    writer.close()


@pytest.mark.parametrize("count", [1, FEW, FEW + 1, 201])
def test_everyone_gets_it_once(writer, pairs, count):
    made = pairs(count)
    listeners = [Listener(ours.fileno()) for ours, _ in made]
    writer.spread(listeners, NEW)
    writer.spread(listeners, NEW)  # known by now
    assert [theirs.recv(100) for _, theirs in made] == [TEXT] * count
    assert all(each.had is NEW and not each.heard and not each.counts for each in listeners)


def test_one_who_cannot_be_written_to_hears_of_it(writer, pairs):
    [(ours, _)] = pairs(1)
    behind, new = Listener(-1), Listener(ours.fileno(), had=None)
    writer.spread([behind, new], NEW)
    assert behind.heard == new.heard == [NEW]
    assert (behind.had, new.had) == (OLD, None)


def test_the_slow_and_the_gone_are_told_what_was_taken(writer, pairs):
    made = pairs(3 * FEW)
    listeners = [Listener(ours.fileno()) for ours, _ in made]
    slow, full, gone = listeners[0], listeners[-1], listeners[-2]
    slow.text = bytes(10_000_000)
    while True:
        try:
            made[-1][0].send(bytes(100_000))
        except BlockingIOError:
            break
    made[-2][1].close()
    writer.spread(listeners, NEW)
    [(_, taken)] = slow.counts
    assert 0 < taken < 10_000_000
    assert full.counts == [(TEXT, 0)]
    assert gone.counts == [(TEXT, -1)]
    for listener, (_, theirs) in list(zip(listeners, made, strict=True))[1:-2]:
        assert (listener.counts, theirs.recv(100)) == ([], TEXT)


def test_a_closed_writer_still_writes(writer, pairs):
    made = pairs(2 * FEW)
    writer.close()
    writer.spread([Listener(ours.fileno()) for ours, _ in made], NEW)
    assert [theirs.recv(100) for _, theirs in made] == [TEXT] * len(made)
