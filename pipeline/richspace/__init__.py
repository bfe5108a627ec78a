"""RichSpace (Cao et al. 2025): interpolation between text embeddings, and the search for its optimal step."""
