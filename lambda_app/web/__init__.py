"""A request in, a response out; nothing here prints."""
