"""How well a clip's frames match its caption, and one another, in the space of a dual encoder such as CLIP.

CLIPSIM (Wu et al. 2021, GODIVA) is the mean over frames of the cosine between image and text features, in [-1, 1];
HARIVO prints it as it is (0.29), ETC times 100 (29). CLIPScore (Hessel et al. 2021) is 2.5 max(cos, 0) and another
measure. Frame consistency is the mean cosine of neighbouring frames, 1 for a still picture.
"""

import torch

CLIPSCORE_WEIGHT = 2.5


def clipsim(frame_features: torch.Tensor, text_features: torch.Tensor) -> torch.Tensor:
    """CLIPSIM of each clip.

    Args:
        frame_features: (N, T, d) unit vectors. text_features: (N, d) unit vectors.

    Returns:
        (N,) mean cosine over the T frames.

    Raises:
        ValueError: if the sizes do not fit each other.
    """
    return _cosines(frame_features, text_features).mean(dim=1)


def clip_score(frame_features: torch.Tensor, text_features: torch.Tensor) -> torch.Tensor:
    """CLIPScore of each clip: the mean over frames of 2.5 max(cos, 0); arguments and errors as in `clipsim`.

    Returns:
        (N,) in [0, 2.5]. torchmetrics prints 100 max(cos, 0), without the factor.
    """
    return CLIPSCORE_WEIGHT * _cosines(frame_features, text_features).clamp(min=0).mean(dim=1)


def frame_consistency(frame_features: torch.Tensor) -> torch.Tensor:
    """Mean cosine of each clip's neighbouring frames.

    Args:
        frame_features: (N, T, d) unit vectors.

    Returns:
        (N,) in [-1, 1].

    Raises:
        ValueError: if there are fewer than two frames.
    """
    if frame_features.ndim != 3 or frame_features.shape[1] < 2:
        raise ValueError(f"frame consistency wants (N, T >= 2, d), found {tuple(frame_features.shape)}")
    return (frame_features[:, 1:] * frame_features[:, :-1]).sum(dim=2).mean(dim=1)


def _cosines(frame_features: torch.Tensor, text_features: torch.Tensor) -> torch.Tensor:
    if frame_features.ndim != 3 or text_features.shape != frame_features[:, 0].shape:
        raise ValueError(
            f"frame features {tuple(frame_features.shape)} and text features {tuple(text_features.shape)} do not fit: "
            "expected (N, T, d) and (N, d)"
        )
    return torch.einsum("ntd,nd->nt", frame_features, text_features)
