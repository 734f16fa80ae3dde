"""Whose flags can be asked for here?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Places(Protocol):
    """The environments that are served: a project's, or those that an edge follows."""

    @property
    def environments(self) -> tuple[str, ...]:
        """Return their names, in order."""
        ...

    @property
    def stages(self) -> Mapping[str, str]:
        """Return the stages that are only deployed to, and the environment whose flags they see."""
        ...

    def check_environments(self, names: tuple[str, ...]) -> None:
        """Refuse environments that are not served.

        Raises:
            UsageError: naming the unknown ones and the known.
        """
        ...
