"""A request in, a response out. Nothing here writes to the log."""
