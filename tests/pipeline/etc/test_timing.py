import math

import pytest
import torch

from pipeline.etc import timing
from pipeline.etc.cost import SETTINGS, Shape, held, operations, receptive_field
from pipeline.etc.timing import attention, figure_10, measured, scaled, table_3


@pytest.mark.parametrize("shape", [(1, 64, 4), (16, 8, 4), (64, 1, 4), (3, 5, 7)])
def test_attention_is_the_equation(shape: tuple[int, int, int]) -> None:
    hidden, matrices = torch.randn(shape, dtype=torch.float64), torch.randn(3, shape[2], shape[2], dtype=torch.float64)
    query, key, value = (torch.einsum("blc,cd->bld", hidden, matrix) for matrix in matrices)
    scores = torch.einsum("bic,bjc->bij", query, key) / math.sqrt(shape[2])
    wanted = torch.einsum("bij,bjc->bic", scores.exp() / scores.exp().sum(-1, keepdim=True), value)
    assert torch.allclose(attention(hidden, matrices), wanted)


def test_sequences_are_independent() -> None:
    """What the receptive field says: of B sequences, a token changes its own alone."""
    hidden, matrices = torch.randn(4, 6, 4), torch.randn(3, 4, 4)
    changed = hidden.clone()
    changed[2, 0] += 1
    differs = (attention(hidden, matrices) != attention(changed, matrices)).flatten(1).any(dim=1)
    assert differs.tolist() == [False, False, True, False]


def test_table_3_has_every_part_of_every_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "LEAST", 0.0)
    table = table_3(scale=64, rounds=2)
    assert list(table.setting.unique()) == list(SETTINGS)
    assert table.part.tolist() == 4 * ["image", "spatial", "temporal"]
    for row in table.itertuples():
        shape = scaled(SETTINGS[row.setting], 64).parts[row.part]
        assert (row.batch, row.tokens, row.channels) == (shape.batch, shape.tokens, shape.channels)
        assert (row.operations, row.receptive_field) == (operations(shape), receptive_field(shape))
        assert row.memory_mib == held(shape) / 2**20
        assert 0 < row.best_s <= row.median_s
    assert (table.device.unique(), table.threads.unique()) == (["cpu"], [torch.get_num_threads()])
    assert set(table.torch) == {torch.__version__}


def test_equal_shapes_are_timed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the paper, whose two settings with 32,768 tokens have one time."""
    monkeypatch.setattr(timing, "LEAST", 0.0)
    shapes = [Shape(1, 8, 4), Shape(2, 4, 4), Shape(1, 8, 4)]
    first, other, again = measured(shapes, 3, "cpu", "attention").to_dict("records")
    assert first == again != other
    assert first["calls"] == other["calls"] == 3


def test_short_calls_are_repeated_within_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "LEAST", 0.01)
    (found,) = measured([Shape(1, 4, 4)], 1, "cpu", "attention").to_dict("records")
    assert found["calls"] > 1


def test_figure_10_keeps_the_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "LEAST", 0.0)
    sweep = figure_10(tokens=64, rounds=1)
    assert sweep.batch.tolist() == [1, 2, 4, 8, 16, 32, 64]
    assert set(sweep.batch * sweep.tokens) == {64}
    assert sweep.receptive_field.tolist() == [1 / b for b in sweep.batch]


@pytest.mark.parametrize("tokens", [0, -4, 12])
def test_tokens_that_cannot_be_halved_are_refused(tokens: int) -> None:
    with pytest.raises(ValueError, match=f"tokens: found {tokens}, expected a power of two"):
        figure_10(tokens)


@pytest.mark.parametrize("scale", [0, -2, 3, 2048])
def test_a_scale_that_divides_no_frame_is_refused(scale: int) -> None:
    with pytest.raises(ValueError, match=f"scale: found {scale}, expected a divisor of 1024"):
        table_3(scale)
