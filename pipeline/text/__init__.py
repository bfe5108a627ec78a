"""Text encoders, and the token embeddings that they make of prompt sets."""
