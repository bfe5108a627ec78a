"""What every training on top of a frozen text-to-image model starts from."""

from pipeline.config.specs import OnImages
from pipeline.samplers import stable_diffusion
from pipeline.samplers.stable_diffusion import ImageModel


def images_of(spec: OnImages) -> ImageModel:
    """The text-to-image model, on a GPU where there is one."""
    return stable_diffusion.load(spec.checkpoint, spec.codec)
