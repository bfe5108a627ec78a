"""Methods: each one file with a function `build(context) -> Method`. See `pipeline.methods.base`."""
