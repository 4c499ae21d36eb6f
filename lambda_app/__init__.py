"""During: one event in, one explained decision out. Standard library and pydantic_core only."""
