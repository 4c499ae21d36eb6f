"""Reads files of applications into checked rows."""
