"""Forms of sentence that mean a command, a file for each matter; the first that fits is taken."""
