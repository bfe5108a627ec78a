"""Clips -> features -> values with intervals, verdicts and comparisons."""
