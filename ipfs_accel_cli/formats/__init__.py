"""Headers of weight files, read in bounded memory and without their tensors."""
