"""How fast this machine really is: measured, kept, compared, and used."""
