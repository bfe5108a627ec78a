"""The video model as it is trained: what HARIVO's losses need of it, in one call."""

from contextlib import ExitStack

import torch
from torch import nn

from pipeline.harivo.attention import recorded, trs_loss
from pipeline.harivo.contrast import Contrast, bottleneck
from pipeline.harivo.losses import LossWeights
from pipeline.harivo.unet import VideoUNet


class MotionModel(nn.Module):
    """A video UNet whose temporal layers and networks are trained, and the projection of L_DC where it is on.

    The frozen text-to-image layers are inside too, because a forward pass goes through them; they ask for no gradients.
    """

    def __init__(self, unet: VideoUNet, contrast: Contrast | None) -> None:
        super().__init__()
        self.video = unet.trainable()  # before the UNet that holds it, so that the trained parameters come first
        self.register_module("contrast", contrast)
        self.unet = unet

    def forward(
        self,
        noisy: torch.Tensor,
        timestep: torch.Tensor,
        text: torch.Tensor,
        pair: torch.Tensor,
        content: torch.Tensor,
        weights: LossWeights,
    ) -> dict[str, torch.Tensor]:
        """Predict videos, and what the losses of `weights` are made of.

        Args:
            noisy: (B, C, F, h, w). timestep: (B,). text: (B, n, d). pair: (B, 2) and content: (B,), see Contrast.

        Returns:
            video: the prediction (B, C, F, h, w); where its λ is not 0, trs and dc: L_TRS and L_DC (), whose maps and
            features stay inside, with what `Contrasted` measures as dc_<name>; reg: the text-to-image model's
            prediction (B, C, F, h, w).
        """
        frames = noisy.shape[2]
        text = text.repeat_interleave(frames, dim=0)
        outputs: dict[str, torch.Tensor] = {}
        with ExitStack() as stack:
            maps = stack.enter_context(recorded(self.unet)) if weights.trs else []
            deepest = stack.enter_context(bottleneck(self.unet)) if weights.dc else []
            outputs["video"] = self.unet(noisy, timestep, text).sample
        if weights.trs:
            outputs["trs"] = trs_loss(maps, frames)
        if weights.dc:
            contrasted = self.contrast(deepest[0].unflatten(0, (-1, frames)), pair, content)
            outputs["dc"] = contrasted.loss
            outputs |= {f"dc_{name}": value for name, value in contrasted.measures.items()}
        if weights.reg:
            with self.unet.spatial_only():
                outputs["reg"] = self.unet(noisy, timestep, text).sample
        return outputs
