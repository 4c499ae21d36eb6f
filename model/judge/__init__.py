"""Says whether a model may serve, and why."""
