"""Storacha (w3up): a service that keeps DAGs in CAR shards, and is asked with UCANs that a space's owner signed."""
