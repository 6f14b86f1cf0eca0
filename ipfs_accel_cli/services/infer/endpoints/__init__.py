"""Models that run elsewhere, by names of ours."""
