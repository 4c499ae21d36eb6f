"""What a release must be able to show: gathered, approved, and checked again."""
