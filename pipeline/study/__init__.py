"""User studies: designs, the trials of each rater, and the votes as one table."""
