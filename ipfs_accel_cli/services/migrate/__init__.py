"""Migrations: content brought from any place to any other, with proof that it arrived."""
