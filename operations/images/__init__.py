"""What is known about an image: its labels, seal, scan and bill of materials."""
