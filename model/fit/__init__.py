"""Fits the candidate model and chooses its cut-off."""
