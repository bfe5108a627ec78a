"""Public weights and where they come from; checkpoints and where they are."""
