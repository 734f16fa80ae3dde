"""Which background jobs are there?"""

from __future__ import annotations

from app import integrations
from app.celery_app import app
from app.incidents import rehearse


# Renamed to integrations.execute in 15.1; jobs may still wait under this name.
@app.task(name="project_service")
def project_service(integration_id: int, event: str) -> None:
    integrations.deliver(integration_id, event)


# Renamed to integrations.irker in 15.1; jobs may still wait under this name.
@app.task(name="irker")
def irker(project_id: int, channel: str) -> None:
    integrations.send_to_irker(project_id, channel)


# Renamed to clusters.activate_integration in 15.1; jobs may still wait under this name.
@app.task(name="activate_service")
def activate_service(cluster_id: int, integration: str) -> None:
    integrations.set_cluster_integration(cluster_id, integration, active=True)


# Renamed to clusters.deactivate_integration in 15.1; jobs may still wait under this name.
@app.task(name="deactivate_service")
def deactivate_service(cluster_id: int, integration: str) -> None:
    integrations.set_cluster_integration(cluster_id, integration, active=False)


@app.task(name="integrations.execute")
def integrations_execute(integration_id: int, event: str) -> None:
    rehearse("new-workers")
    integrations.deliver(integration_id, event)


@app.task(name="integrations.irker")
def integrations_irker(project_id: int, channel: str) -> None:
    rehearse("new-workers")
    integrations.send_to_irker(project_id, channel)


@app.task(name="clusters.activate_integration")
def clusters_activate_integration(cluster_id: int, integration: str) -> None:
    rehearse("new-workers")
    integrations.set_cluster_integration(cluster_id, integration, active=True)


@app.task(name="clusters.deactivate_integration")
def clusters_deactivate_integration(cluster_id: int, integration: str) -> None:
    rehearse("new-workers")
    integrations.set_cluster_integration(cluster_id, integration, active=False)
