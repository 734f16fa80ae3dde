"""When does `is_enabled` of a real SDK answer anew?

`python server_sdks.py URL TOKEN_FILE CLIENTS`; times are of the monotonic clock.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import monotonic

import flagstaff
from flagstaff.flags.compile import Compiled

FLAG = "flag_1"


def main() -> None:
    """Connect, and after a line on standard input say at what moments answers changed."""
    url, file, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    moments: list[list[object]] = []
    clients = []
    for _ in range(count):
        client = flagstaff.Client.connect(
            url, token_file=file, environment="production", cache=None
        )
        before = [client.is_enabled(FLAG)]

        def heard(
            _: Compiled, client: flagstaff.Client = client, before: list[bool] = before
        ) -> None:
            now = client.is_enabled(FLAG)
            if now is not before[0]:
                before[0] = now
                moments.append([monotonic(), now])

        client.holder.listen(heard)
        clients.append(client)
    print(json.dumps({"connected": count}), flush=True)
    sys.stdin.readline()
    print(json.dumps(moments), flush=True)
    for client in clients:
        client.close()


if __name__ == "__main__":
    main()
