"""After: watches, proves and releases what serves."""
