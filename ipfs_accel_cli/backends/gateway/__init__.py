"""Trustless IPFS gateways: several raced, and every block proven as it comes."""
