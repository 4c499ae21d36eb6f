"""Decides files of any size offline: each row of the file gets an answer, in a file beside it."""
