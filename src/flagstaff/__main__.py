"""How does the `flagstaff` program begin? `python -m flagstaff` is the same."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the program with the words of the command line; return its exit code."""
    try:
        from flagstaff.cli.main import run  # noqa: PLC0415 the SDK alone must not need Click
    except ModuleNotFoundError as exc:
        from flagstaff.errors import MissingExtra  # noqa: PLC0415

        missing = MissingExtra.named("server", package=exc.name or "a package")
        sys.stderr.write(f"flagstaff: {missing}\n")
        return 1
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
