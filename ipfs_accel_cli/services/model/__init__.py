"""Models: where they come from, what they are called, and whether they are what they claim to be."""
