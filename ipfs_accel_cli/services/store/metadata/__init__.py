"""Metadata sidecars: what is said about a CID, beside the content and never in it, in versions."""
