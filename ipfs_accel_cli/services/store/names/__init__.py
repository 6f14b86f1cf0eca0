"""IPNS: keys, the records that they sign, and what names lead to."""
