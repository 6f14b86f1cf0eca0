"""The diffusers engine: pipelines that draw pictures."""
