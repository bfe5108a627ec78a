"""HARIVO's trained parts, each in its own file: what turns a frozen text-to-image UNet into a video model.

unet: the whole model; mapping, tokens: its two networks; attention, losses, contrast: what it is trained with;
noise: what it denoises. Sampling is in pipeline/samplers/.
"""
