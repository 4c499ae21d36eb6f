"""Watches what serves."""
