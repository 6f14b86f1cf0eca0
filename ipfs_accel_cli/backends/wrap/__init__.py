"""Wrappers: backends around a backend, which keep its contracts and add retries, proof, limits, a cache or a meter."""
