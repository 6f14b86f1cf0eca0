"""Jobs as a surface: commands that are asked for now and run later, through the same reflection and the same door."""
