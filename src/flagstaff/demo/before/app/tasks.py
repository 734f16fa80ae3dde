"""Which background jobs are there?"""

from __future__ import annotations

from app import integrations
from app.celery_app import app


@app.task(name="project_service")
def project_service(integration_id: int, event: str) -> None:
    integrations.deliver(integration_id, event)


@app.task(name="irker")
def irker(project_id: int, channel: str) -> None:
    integrations.send_to_irker(project_id, channel)


@app.task(name="activate_service")
def activate_service(cluster_id: int, integration: str) -> None:
    integrations.set_cluster_integration(cluster_id, integration, active=True)


@app.task(name="deactivate_service")
def deactivate_service(cluster_id: int, integration: str) -> None:
    integrations.set_cluster_integration(cluster_id, integration, active=False)
