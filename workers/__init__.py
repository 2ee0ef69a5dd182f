"""Celery: each task is one call of a use case."""
