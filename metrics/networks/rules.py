"""Names that parameters and fingerprints carry: resize rules, the world's encoder. Loads nothing heavy."""

from enum import StrEnum

WORLD_ENCODER = "reelbench-world-clip"  # the model type in the configuration of the world's dual encoder


class Resize(StrEnum):
    """How frames become a network's square, by the name that fingerprints carry; see metrics.networks.resize."""

    SQUASH_BILINEAR = "whole frame squashed, bilinear, half-pixel centres, no antialias"
    SQUASH_BILINEAR_TF1 = "whole frame squashed, bilinear, TF1 corners, no antialias"
    CENTRE_BILINEAR = "short side, centre crop, bilinear, half-pixel centres, no antialias"
    SQUASH_BICUBIC = "whole frame squashed, bicubic, antialias"
    CENTRE_BICUBIC = "short side, centre crop, bicubic, antialias"
