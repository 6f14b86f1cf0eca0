"""The use cases, one package a domain, shared by every surface."""
