"""Which environments does an edge serve?"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flagstaff.definitions import Project
from flagstaff.errors import UsageError
from flagstaff.server.edge.following import Follower


class Served:
    """The environments that are followed, as soon as there are flags of them.

    Args:
        followers: by environment, in order.
    """

    def __init__(self, followers: Mapping[str, Follower]) -> None:
        self._followers = followers
        usual = Project().stages
        self._stages = {each: home for each, home in usual.items() if home in followers}

    @property
    def environments(self) -> tuple[str, ...]:
        """Return their names, in order."""
        return tuple(self._followers)

    @property
    def stages(self) -> Mapping[str, str]:
        """Return the usual stages; what a project calls its own does not reach an edge."""
        return MappingProxyType(self._stages)

    def check_environments(self, names: tuple[str, ...]) -> None:
        """Refuse environments that are not followed, or have not been reached yet.

        Raises:
            UsageError: this edge does not follow one of them.
            Unavailable: there are no flags of one of them yet.
        """
        unknown = [name for name in names if name not in self._followers]
        if unknown:
            raise UsageError(
                f"this edge has no environment {', '.join(unknown)}",
                hint=f"it has {', '.join(self._followers)}; the control plane may have more",
            )
        for name in names:
            self._followers[name].encoded()
