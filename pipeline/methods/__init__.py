"""Methods: each a file with `build(context) -> Method` that says which prompts, which sampler and which noise."""
