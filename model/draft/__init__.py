"""Drafts a contract from a file of labelled applications, with every guess marked for a person to confirm."""
