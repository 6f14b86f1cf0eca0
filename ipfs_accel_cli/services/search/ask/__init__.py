"""Questions in words: read by rules into a filter and a query, or into a command line that is proposed."""
