"""What does the server of a folder say of a rollout?

Asked as the terminal asks, though by no program of its own: a test that waits asks often.
"""

from __future__ import annotations

import json

from flagstaff.commands.model import ShowRollout
from flagstaff.commands.remote import Server


def shown(root, number=1):
    folder = root / ".flagstaff"
    url = json.loads((folder / "server.json").read_text())["url"]
    server = Server(url=url, token=(folder / "token").read_text().strip())
    return server.execute(ShowRollout(rollout=number)).data
