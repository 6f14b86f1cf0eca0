"""Work that must not be lost: a durable queue in the state database."""
