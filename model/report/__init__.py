"""The page about one model, for those who must answer for it."""
