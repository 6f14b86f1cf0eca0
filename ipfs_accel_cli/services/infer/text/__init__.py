"""Tasks over texts beside vectors, labels and continuations: each by a head made for it, or by what there is."""
