"""How does the product ask for a background job?"""

from __future__ import annotations

from app import tasks
from app.flags import flags


def execute_integration(integration_id: int, event: str) -> str:
    """Tell the service behind an integration about an event; return the job's id."""
    if flags.is_enabled("rename_integrations_workers"):
        job = tasks.integrations_execute.delay(integration_id, event)
    else:
        job = tasks.project_service.delay(integration_id, event)
    return job.id


def notify_irker(project_id: int, channel: str) -> str:
    """Send a project's push to an IRC channel; return the job's id."""
    if flags.is_enabled("rename_integrations_workers"):
        job = tasks.integrations_irker.delay(project_id, channel)
    else:
        job = tasks.irker.delay(project_id, channel)
    return job.id


def activate_integration(cluster_id: int, integration: str) -> str:
    """Turn an integration on for all projects of a cluster; return the job's id."""
    if flags.is_enabled("rename_integrations_workers"):
        job = tasks.clusters_activate_integration.delay(cluster_id, integration)
    else:
        job = tasks.activate_service.delay(cluster_id, integration)
    return job.id


def deactivate_integration(cluster_id: int, integration: str) -> str:
    """Turn an integration off for all projects of a cluster; return the job's id."""
    if flags.is_enabled("rename_integrations_workers"):
        job = tasks.clusters_deactivate_integration.delay(cluster_id, integration)
    else:
        job = tasks.deactivate_service.delay(cluster_id, integration)
    return job.id
