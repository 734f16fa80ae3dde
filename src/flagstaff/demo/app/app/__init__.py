"""Integrations: tells other services what happens in a project."""
