"""Where models go to: one module for each kind of place, named as users name it."""
