"""Serving: one event in, one explained decision out. Imports only the standard library and pydantic_core."""
