"""Deployments: how a model is to be served, as immutable versions, and files of them for what serves it."""
