"""Embeddings + noise -> clips: one file for each family of models, and guidance, which all of them are given."""
