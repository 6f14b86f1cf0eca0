"""Pipelines: commands of inference in a row, each fed with what came of the ones before, by content address."""
