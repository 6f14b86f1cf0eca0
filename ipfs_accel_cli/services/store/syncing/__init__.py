"""Syncing: whole DAGs of one place brought to another, by what each has a list of."""
