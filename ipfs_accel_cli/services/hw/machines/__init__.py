"""Machines by name: those that ship with the package, and those that the user saved."""
