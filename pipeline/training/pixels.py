"""Frames as a codec takes them, and pictures of validation samples."""

import numpy as np
import torch


def to_model(frames: np.ndarray | torch.Tensor) -> torch.Tensor:
    """uint8 frames (..., H, W, 3) -> float (..., 3, H, W) in [-1, 1]."""
    return torch.as_tensor(frames).movedim(-1, -3).float() / 127.5 - 1


def to_frames(images: torch.Tensor) -> np.ndarray:
    """The way back: (..., 3, H, W), about [-1, 1] -> uint8 frames (..., H, W, 3)."""
    return ((images.movedim(-3, -1).clamp(-1, 1) + 1) * 127.5).round().byte().cpu().numpy()


def sheet(images: np.ndarray, columns: int = 8, rows: int = 5) -> np.ndarray:
    """The first images (N, H, W, 3) in rows, as many whole rows as there are, at least a part of one."""
    whole = min(rows, len(images) // columns)
    if not whole:
        return np.concatenate(list(images), axis=1)
    return np.concatenate([np.concatenate(list(images[i * columns :][:columns]), 1) for i in range(whole)], 0)


def strips(clips: np.ndarray, rows: int = 10) -> np.ndarray:
    """The first clips (N, T, H, W, 3), one a row, every second frame."""
    return np.concatenate([np.concatenate(list(clip[::2]), 1) for clip in clips[:rows]], 0)
