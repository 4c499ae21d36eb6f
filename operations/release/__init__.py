"""What decides whether an image goes to traffic."""
