"""Summaries over seeds against published values."""

import numpy as np
import pandas as pd
import pytest

from metrics.statistics.seeds import over_seeds


def test_published_values_over_seeds(shared) -> None:
    """FETV's FVD of CogVideo at 1,024 clips, by seed: mean, sd and the minimum of three by pandas."""
    table = pd.read_csv(shared / "data/fvd/fetv_fvd_by_n_seed.csv")
    own = table[(table.metric == "fvd_results") & (table.model == "cogvideo") & (table.n_videos == 1024)].value
    found = over_seeds(own.tolist(), higher_is_better=False)
    assert found.n == len(own) >= 3
    assert (found.mean, found.sd) == pytest.approx((own.mean(), own.std()))
    assert (found.best, found.best_of) == (own.iloc[:3].min(), 3)


def test_the_best_follows_the_direction_and_is_of_three_at_most() -> None:
    values = [2.0, 1.0, 3.0, 0.5, 9.0]
    assert [over_seeds(values, higher).best for higher in (True, False)] == [3.0, 1.0]
    assert np.isnan(over_seeds(values, None).best)
    assert (over_seeds(values[:2], True).best, over_seeds(values[:2], True).best_of) == (2.0, 2)
    assert np.isnan(over_seeds([3.0], True).sd)
    with pytest.raises(ValueError, match="no seed"):
        over_seeds([], True)
