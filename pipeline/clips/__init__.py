"""Clips on disk: files, the ledger, generation, and the videos of others."""
