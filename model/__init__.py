"""Training: labelled applications in, a judged and exported model artifact out."""
