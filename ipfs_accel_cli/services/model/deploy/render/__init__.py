"""Files for what serves a model: one module for each target, named as users name it."""
