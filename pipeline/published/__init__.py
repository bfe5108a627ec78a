"""Published figures: every method of the run measured once at full size, and whether a run reproduces that."""
