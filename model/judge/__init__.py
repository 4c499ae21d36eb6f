"""Decides whether a model may serve, and says why."""
