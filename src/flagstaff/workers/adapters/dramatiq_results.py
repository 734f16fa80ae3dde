"""Who waits for the result of a message that was renamed on its way, where does it look?

Dramatiq keeps a result under the name and the queue of its message. Both sides of a rename use
those of the old one: so it is found by whoever sent the message before it was renamed, and by a
deployment that does not know the new name yet.
"""

from __future__ import annotations

from typing import Any

from dramatiq.common import q_name
from dramatiq.results import Results

from flagstaff.workers.adapters.protocol import Renames


def share(broker: Any, renames: Renames) -> None:
    """Let the results of both names be under the old one, in every store of the broker."""
    for each in broker.middleware:
        if isinstance(each, Results):
            _share(each.backend, renames)


def _share(backend: Any, renames: Renames) -> None:
    plain = backend.build_message_key
    if getattr(plain, "flagstaff", False):
        return

    def key(message: Any) -> Any:
        found = renames.find(message.actor_name)
        if found is None:
            return plain(message)
        rename, _ = found
        queue = q_name(message.queue_name)
        if queue == rename.new_queue:
            queue = rename.old_queue or queue
        return plain(message.copy(actor_name=rename.old, queue_name=queue))

    key.flagstaff = True  # type: ignore[attr-defined]
    backend.build_message_key = key
