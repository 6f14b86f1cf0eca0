"""The catalogue: models that are known by name, each with a page of its own that pins every byte."""
