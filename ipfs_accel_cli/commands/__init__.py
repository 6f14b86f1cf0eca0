"""The public contract: one file a command group, plain typed functions that return a result."""
