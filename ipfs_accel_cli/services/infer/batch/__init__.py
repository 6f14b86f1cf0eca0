"""Many requests out of a file, their answers into another: nothing lost and nothing twice, whatever happens."""
