"""Training of the models that live in the world: one loop, and one file per model that says what it learns."""
