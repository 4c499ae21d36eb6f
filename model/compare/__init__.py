"""Two models side by side: what changed, for whom, and whether the policy lets one replace the other."""
