"""A model as one SELECT, for engines that hold the applications: decided there exactly as by the service."""
