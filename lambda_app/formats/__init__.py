"""What each artifact format is on the serving side: one file a format."""
