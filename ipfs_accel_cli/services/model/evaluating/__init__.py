"""How good models are: sets, metrics, runs that are kept, and comparisons."""
