"""Sound and speech on torch."""
