"""Which benchmarks are there? `make bench` runs them all; name one to run it alone."""

from __future__ import annotations

import sys

from benchmarks import (
    cleanup,
    cleanup_speed,
    engine,
    evaluation,
    guards,
    kills,
    pages,
    releases,
    server,
    workers,
    workers_instructions,
    workers_migrate,
    workers_watch,
)

SUITES = {
    "cleanup": cleanup.main,
    "cleanup_speed": cleanup_speed.main,
    "engine": engine.main,
    "evaluation": evaluation.main,
    "guards": guards.main,
    "kills": kills.main,
    "pages": pages.main,
    "releases": releases.main,
    "server": server.main,
    "workers": workers.main,
    "workers_instructions": workers_instructions.main,
    "workers_migrate": workers_migrate.main,
    "workers_watch": workers_watch.main,
}


def main() -> int:
    """Run the suite that is named first, or every one; 1 if a target is missed."""
    named = sys.argv[1] if len(sys.argv) > 1 else ""
    if named not in SUITES:
        return max(suite() for suite in SUITES.values())
    del sys.argv[1]
    return SUITES[named]()


if __name__ == "__main__":
    sys.exit(main())
