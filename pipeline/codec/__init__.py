"""Frames <-> latents: the toy world's own codec, and the loading of whichever codec a folder holds."""
