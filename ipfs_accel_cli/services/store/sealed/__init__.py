"""Encryption: content that only its recipients can read, whoever stores it."""
