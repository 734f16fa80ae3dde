"""How does a child process end with its parent, however the parent ends?

`python -m flagstaff.demo.child PARENT COMMAND …` asks the kernel for SIGTERM at the parent's
death, then becomes the command. Elsewhere than on Linux the command simply runs.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Tie this process to its parent and replace it by the command."""
    parent, command = int(arguments[0]), arguments[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            # The parent died before the kernel was asked.
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 (a fixed command of processes.py)


if __name__ == "__main__":
    main(sys.argv[1:])
