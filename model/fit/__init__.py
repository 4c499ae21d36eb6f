"""Fits the candidate and chooses its cut-off."""
