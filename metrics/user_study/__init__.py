"""User studies: from a table of votes to shares, preferences, strengths and their intervals; functions of tables."""
