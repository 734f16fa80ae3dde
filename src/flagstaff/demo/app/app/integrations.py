"""What do the jobs do?"""

from __future__ import annotations

import random
import time


def deliver(integration_id: int, event: str) -> None:
    """Tell the service behind an integration about an event in the project."""
    _call_service(f"integrations/{integration_id}/{event}")


def send_to_irker(project_id: int, channel: str) -> None:
    """Send a project's push to an IRC channel."""
    _call_service(f"irker/{project_id}/{channel}")


def set_cluster_integration(cluster_id: int, integration: str, *, active: bool) -> None:
    """Turn an integration of all projects of a cluster on or off."""
    _call_service(f"clusters/{cluster_id}/{integration}/{'on' if active else 'off'}")


def _call_service(_path: str) -> None:
    """Take the time that the other side takes to answer: 2 to 12 ms."""
    time.sleep(random.uniform(0.002, 0.012))
