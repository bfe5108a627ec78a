import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.formatting import fixed, interval, of_clusters, p_value, points


@given(st.floats(-1e6, 1e6), st.integers(0, 4))
def test_a_fixed_number_is_rounded_and_has_a_real_minus(value: float, places: int) -> None:
    text = fixed(value, places)
    assert math.isclose(float(text.replace(",", "").replace("−", "-")), value, abs_tol=0.5001 * 10**-places)
    assert "-" not in text


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((0.38, 0.319, 0.481), "0.38 (0.32–0.48)"),
        ((0.1, -0.2, 0.4), "0.10 (−0.20 to 0.40)"),
        ((0.1, math.nan, math.nan), "0.10"),
        ((math.nan, math.nan, math.nan), "–"),
    ],
)
def test_an_interval_is_one_cell(values: tuple[float, float, float], shown: str) -> None:
    assert interval(*values, places=2) == shown


_P = [(0.00390625, "p = 0.0039"), (3e-6, "p < 0.0001"), (1.0, "p = 1"), (math.nan, "not tested")]


@pytest.mark.parametrize(("p", "shown"), _P)
def test_p_values(p: float, shown: str) -> None:
    assert p_value(p) == shown


@pytest.mark.parametrize(("share", "shown"), [(0.1, "+10.0"), (-0.0156, "−1.6"), (0.0, "+0.0")])
def test_differences_of_shares_have_their_sign(share: float, shown: str) -> None:
    assert points(share) == shown


def test_pairs_are_said_to_be_of_fewer_prompts() -> None:
    assert of_clusters({"pairs": 66, "clusters": 22}, "prompts") == "66 pairs of 22 prompts"
    assert of_clusters({"pairs": 22, "clusters": 22}, "prompts") == "22 pairs"
