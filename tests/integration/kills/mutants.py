"""How is a server broken on purpose, so that the judge of the kills can be seen to notice?"""

from __future__ import annotations

import itertools
import os
import threading
from dataclasses import replace


def keys_that_change():
    """Give an effect another key at every try."""
    from flagstaff.integrations import world  # noqa: PLC0415 only in the process that is broken

    right, count = world.post, itertools.count()

    def post(url, announcement):
        key = f"{announcement.key}/{os.getpid()}-{next(count)}"
        right(url, replace(announcement, key=key))

    world.post = post


def no_look_before_posting():
    """Post again to Slack without reading the channel first."""
    from flagstaff.integrations.notify.slack import Slack  # noqa: PLC0415 as above

    Slack._find = lambda *_: ""


def noted_before_done():
    """Take an effect for done before it has left."""
    from flagstaff.integrations import world  # noqa: PLC0415 as above

    right = world.post
    world.post = lambda *told: threading.Timer(0.3, right, told).start()
