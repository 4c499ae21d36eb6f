"""Looks for models that are as accurate and treat groups more alike."""
