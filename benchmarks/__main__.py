"""Which benchmarks are there? `make bench` runs them."""

from __future__ import annotations

import sys

from benchmarks.evaluation import main

sys.exit(main())
