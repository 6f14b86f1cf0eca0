"""Buckets of S3 and of whatever speaks as it does: files under their keys."""
