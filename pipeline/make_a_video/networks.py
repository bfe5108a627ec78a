"""The networks of a cascade, loaded together."""

from dataclasses import dataclass

from diffusers import DDIMScheduler, UNet2DConditionModel

from pipeline.config.methods import Cascade
from pipeline.make_a_video.embedding import JointSpace
from pipeline.make_a_video.interpolation import FURTHER
from pipeline.make_a_video.loading import RGB, WITH_LOW, load_images, load_prior, load_videos
from pipeline.make_a_video.prior import Prior
from pipeline.make_a_video.pyramid import joint_space
from pipeline.make_a_video.video_unet import PseudoVideoUNet
from pipeline.weights.checkpoints import resolve


@dataclass(frozen=True)
class CascadeModel:
    """The networks of a method; None where a part is left out. space: the dual encoder, of which P needs the text.
    still: whether the layers over time of `video` are at their initialisation."""

    space: JointSpace
    prior: tuple[Prior, DDIMScheduler] | None
    video: tuple[PseudoVideoUNet, DDIMScheduler]
    interpolation: tuple[PseudoVideoUNet, DDIMScheduler] | None
    sr_t: tuple[PseudoVideoUNet, DDIMScheduler] | None
    sr_h: tuple[UNet2DConditionModel, DDIMScheduler] | None
    still: bool

    @classmethod
    def load(cls, checkpoint: str, options: Cascade, frames: int) -> "CascadeModel":
        """Everything that a method names; D_t is D with layers that do nothing for so many frames, where it names
        none."""
        space = joint_space(options.clip, options.text_tower)
        return cls(
            space,
            load_prior(resolve(options.prior.folder)) if options.prior else None,
            load_videos(resolve(options.video), RGB) if options.video else _still(checkpoint, frames),
            load_videos(resolve(options.interpolation.folder), RGB + FURTHER) if options.interpolation else None,
            load_videos(resolve(options.sr_t.folder), WITH_LOW) if options.sr_t else None,
            load_images(resolve(options.sr_h.folder), WITH_LOW) if options.sr_h else None,
            still=options.video is None,
        )

    @property
    def parameters(self) -> int:
        """Of all networks that are loaded, without the dual encoder, and without layers over time that do nothing."""
        networks = [part[0] for part in (self.prior, self.video, self.interpolation, self.sr_t, self.sr_h) if part]
        idle = sum(p.numel() for p in self.video[0].temporal.parameters()) if self.still else 0
        return sum(p.numel() for network in networks for p in network.parameters()) - idle

    @property
    def size(self) -> int:
        """Pixels of a side of what D_t makes."""
        return self.video[0].config.image["sample_size"]

    @property
    def embedding(self) -> int:
        """Width of image embeddings."""
        return self.video[0].config.image["encoder_hid_dim"]


def _still(checkpoint: str, frames: int) -> tuple[PseudoVideoUNet, DDIMScheduler]:
    """D as a network of videos whose layers over time are at their initialisation."""
    images, scheduler = load_images(resolve(checkpoint), RGB)
    return PseudoVideoUNet.of(images, 1, frames, rated=True).eval(), scheduler
