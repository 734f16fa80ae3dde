"""How does the product ask for a background job?"""

from __future__ import annotations

from app import tasks


def execute_integration(integration_id: int, event: str) -> str:
    """Tell the service behind an integration about an event; return the job's id."""
    return tasks.project_service.delay(integration_id, event).id


def notify_irker(project_id: int, channel: str) -> str:
    """Send a project's push to an IRC channel; return the job's id."""
    return tasks.irker.delay(project_id, channel).id


def activate_integration(cluster_id: int, integration: str) -> str:
    """Turn an integration on for all projects of a cluster; return the job's id."""
    return tasks.activate_service.delay(cluster_id, integration).id


def deactivate_integration(cluster_id: int, integration: str) -> str:
    """Turn an integration off for all projects of a cluster; return the job's id."""
    return tasks.deactivate_service.delay(cluster_id, integration).id
