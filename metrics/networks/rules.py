"""The names of resize rules, for protocols and parameters; loads nothing heavy."""

from enum import StrEnum


class Resize(StrEnum):
    """How frames become a network's square, by the name that fingerprints carry; see metrics.networks.resize."""

    SQUASH_BILINEAR = "whole frame squashed, bilinear, half-pixel centres, no antialias"
    SQUASH_BILINEAR_TF1 = "whole frame squashed, bilinear, TF1 corners, no antialias"
    CENTRE_BILINEAR = "short side, centre crop, bilinear, half-pixel centres, no antialias"
    SQUASH_BICUBIC = "whole frame squashed, bicubic, antialias"
    CENTRE_BICUBIC = "short side, centre crop, bicubic, antialias"
