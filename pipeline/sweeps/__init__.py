"""Sweeps: points that are variants of a method and of a training, and what came out of them; and the oracle, every step
of RichSpace's interpolation."""
