"""What each artifact format is on the writing side, and how columns are scored."""
