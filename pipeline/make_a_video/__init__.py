"""Make-A-Video: the parts of its cascade, each alone; `pipeline.samplers.cascade` puts them together."""
