"""Intervals, tests, extrapolation to many clips, and agreement with people."""
