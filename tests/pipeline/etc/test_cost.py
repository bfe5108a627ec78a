import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from pipeline.etc.cost import SETTINGS, Setting, Shape, held, operations, ratio, receptive_field

numbers = st.integers(1, 4096)
settings = st.builds(Setting, frames=numbers, places=numbers, channels=st.integers(1, 320))


@given(settings)
def test_the_three_shapes_are_the_same_tokens(setting: Setting) -> None:
    every = setting.frames * setting.places
    assert {shape.batch * shape.tokens for shape in setting.parts.values()} == {every}
    assert receptive_field(setting.image) == 1
    assert receptive_field(setting.spatial) == pytest.approx(setting.places / every)
    assert receptive_field(setting.temporal) == pytest.approx(setting.frames / every)


@given(settings)
def test_the_ratio_is_the_printed_quotient(setting: Setting) -> None:
    t, hw, c = setting.frames, setting.places, setting.channels
    assert ratio(setting) == pytest.approx((4 * c + t * hw) / (8 * c + hw + t))
    assert operations(setting.image) == 2 * t * hw * c * (4 * c + t * hw)


def test_table_3s_shapes_are_the_printed_ones() -> None:
    found = {name: [str(shape) for shape in setting.parts.values()] for name, setting in SETTINGS.items()}
    assert found == {
        "base": ["[1, 16384, 4]", "[16, 1024, 4]", "[1024, 16, 4]"],
        "long_video": ["[1, 32768, 4]", "[32, 1024, 4]", "[1024, 32, 4]"],
        "high_res": ["[1, 32768, 4]", "[16, 2048, 4]", "[2048, 16, 4]"],
        "high_quality": ["[1, 65536, 4]", "[32, 2048, 4]", "[2048, 32, 4]"],
    }


def test_about_16_times_holds_for_both_sizes_that_the_text_calls_its_base() -> None:
    """(H, W) = (128, 128) in A.1.3, and 1,024 places a frame in Table 3, whose 16 frames are 128 x 128."""
    assert ratio(Setting(16, 128 * 128)) == pytest.approx(15.95, abs=0.01)
    assert ratio(SETTINGS["base"]) == pytest.approx(15.30, abs=0.01)
    assert SETTINGS["base"].image.tokens == 128 * 128
    others = {name: round(ratio(setting), 2) for name, setting in SETTINGS.items()}
    assert others == {"base": 15.3, "long_video": 30.13, "high_res": 15.64, "high_quality": 31.04}


def test_printed_receptive_fields() -> None:
    """12.5 % at B = 8 follows; of 0.0977 % at B = 1,024 the text prints 0.09 %, cut and not rounded."""
    assert receptive_field(Shape(8, 2048, 4)) == 0.125
    temporal = 100 * receptive_field(SETTINGS["base"].temporal)
    assert math.floor(100 * temporal) / 100 == 0.09
    assert round(temporal, 2) == 0.1


def test_operations_only_fall_with_more_sequences() -> None:
    """So the rise of Figure 10 at its right end is none of operations; nor does 5.4 % at B = 1,024 follow."""
    sweep = [operations(Shape(2**i, 2 ** (14 - i), 4)) for i in range(15)]
    assert sweep == sorted(sweep, reverse=True)
    assert sweep[10] / max(sweep) == pytest.approx(0.00195, abs=1e-5)


@pytest.mark.parametrize("shape", [Shape(1, 64, 4), Shape(16, 12, 8), Shape(5, 3, 40)])
def test_torch_counts_what_is_printed_but_for_the_scores_times_v(shape: Shape) -> None:
    """Torch's own counter on Eq. 7 and 8: 2 B L² C where the text has 2 B L C²; everything else is as printed."""
    hidden = torch.randn(shape.batch, shape.tokens, shape.channels)
    matrices = torch.randn(3, shape.channels, shape.channels)
    with FlopCounterMode(display=False) as counter:
        query, key, value = (hidden @ matrix for matrix in matrices)
        scores = (query @ key.mT / math.sqrt(shape.channels)).softmax(dim=-1)
        out = scores @ value
    b, n, c = shape.batch, shape.tokens, shape.channels
    assert counter.get_total_flops() == operations(shape) - 2 * b * n * c * c + 2 * b * n * n * c
    assert counter.get_total_flops() == 2 * b * n * c * (3 * c + 2 * n)  # docs/etc.md: 15.58 times at the base setting
    assert held(shape) == sum(part.numel() * part.element_size() for part in (query, key, value, scores, out))


@pytest.mark.parametrize("numbers", [(0, 4, 4), (1, 0, 4), (1, 4, -1)])
def test_what_is_no_shape_is_refused(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"a shape of attention: found .*, expected numbers of at least 1"):
        Shape(*numbers)
    with pytest.raises(ValueError, match=r"a video: found .*, expected numbers of at least 1"):
        Setting(*numbers)
