"""The command line: groups on demand, options, results and problems as text."""
