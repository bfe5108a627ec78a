"""Frames as a codec takes them, and pictures of samples."""

import numpy as np
import torch

from pipeline.training.pixels import sheet, strips, to_frames, to_model


def test_black_and_white_are_the_ends() -> None:
    frames = np.zeros((2, 4, 5, 3), np.uint8)
    frames[1, ..., 2] = 255
    made = to_model(frames)
    assert made.shape == (2, 3, 4, 5)
    assert torch.equal(made[0], -torch.ones(3, 4, 5))
    assert torch.equal(made[1, 2], torch.ones(4, 5))


def test_a_sheet_has_whole_rows() -> None:
    images = np.arange(19, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 3, 3), np.uint8)
    made = sheet(images, columns=8)
    assert made.shape == (4, 24, 3)
    assert made[::2, ::3, 0].tolist() == [list(range(8)), list(range(8, 16))]
    assert sheet(images, columns=8, rows=1).shape == (2, 24, 3)
    assert sheet(images[:3], columns=8).shape == (2, 9, 3)


def test_strips_have_every_second_frame() -> None:
    clips = np.arange(12, dtype=np.uint8).reshape(3, 4, 1, 1, 1) * np.ones((1, 1, 2, 2, 3), np.uint8)
    made = strips(clips, rows=2)
    assert made[::2, ::2, 0].tolist() == [[0, 2], [4, 6]]


def test_frames_come_back_as_they_were_and_what_is_beyond_the_range_is_cut() -> None:
    frames = np.arange(256, dtype=np.uint8).repeat(3).reshape(4, 8, 8, 3)
    assert np.array_equal(to_frames(to_model(frames)), frames)
    assert to_frames(torch.full((1, 3, 1, 1), 1.5)).tolist() == [[[[255, 255, 255]]]]
