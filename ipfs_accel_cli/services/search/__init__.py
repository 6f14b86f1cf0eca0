"""The service behind `search`: the index of what is kept, and what is asked of it."""
