"""How does the `flagstaff` program begin? `python -m flagstaff` is the same."""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> int:
    """Run the program with the words of the command line; return its exit code."""
    try:
        from flagstaff.cli.main import run  # noqa: PLC0415 the SDK alone must not need Click

        return run(sys.argv[1:])
    except KeyboardInterrupt:  # while it is still loading
        return INTERRUPTED
    except ModuleNotFoundError as exc:
        if not exc.name or exc.name.partition(".")[0] == "flagstaff":
            raise
        from flagstaff.errors import MissingExtra  # noqa: PLC0415 rarely needed

        missing = MissingExtra.named("server", package=exc.name)
        sys.stderr.write(f"error: {missing}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
