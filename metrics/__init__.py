"""Video metrics as a library of its own: features -> statistics -> metric, as separate steps."""
