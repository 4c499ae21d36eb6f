"""The report about one model, for the people accountable for it."""
