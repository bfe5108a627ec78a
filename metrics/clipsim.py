"""CLIPSIM: how well a clip's frames match its caption.

The mean over frames of the cosine between image and text features (Wu et al. 2021, GODIVA); in [-1, 1], printed by
HARIVO as it is (0.29) and by ETC times 100 (29). CLIPScore, 2.5 max(cos, 0), is another measure.
"""

import torch


def clipsim(frame_features: torch.Tensor, text_features: torch.Tensor) -> torch.Tensor:
    """CLIPSIM of each clip.

    Args:
        frame_features: (N, T, d) unit vectors. text_features: (N, d) unit vectors.

    Returns:
        (N,) mean cosine over the T frames.

    Raises:
        ValueError: if the sizes do not fit each other.
    """
    if frame_features.ndim != 3 or text_features.shape != frame_features[:, 0].shape:
        raise ValueError(
            f"frame features {tuple(frame_features.shape)} and text features {tuple(text_features.shape)} do not fit: "
            "expected (N, T, d) and (N, d)"
        )
    return torch.einsum("ntd,nd->nt", frame_features, text_features).mean(dim=1)
