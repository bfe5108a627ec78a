"""Clips -> features: I3D and dual encoders, and how each wants a frame resized."""
