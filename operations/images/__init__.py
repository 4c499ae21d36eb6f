"""What an image says of itself: labels, seal, scan, bill of materials."""
