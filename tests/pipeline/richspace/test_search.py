from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors import safe_open

from pipeline.prompts.sets import Mixture
from pipeline.richspace.interpolation import find_optimal, interpolate
from pipeline.richspace.optima import EMBEDDINGS, read_curves, read_optima, search_key, strip_steps
from pipeline.richspace.search import SearchResults, first_guides, search_mixture, write_searches
from pipeline.text.embeddings import Embeddings

TWO = Mixture("s/ab", "s", ("s/a", "s/b"), "s/ab-guide")
THREE = Mixture("s/abc", "s", ("s/a", "s/b", "s/c"), "s/abc-guide")
NAMES = ("a", "b", "c", "ab-guide", "abc-guide")


@pytest.fixture
def embeddings() -> Embeddings:
    tokens = torch.randn(5, 6, 8, generator=torch.Generator().manual_seed(0))
    return Embeddings(
        tokens, torch.tensor([2, 3, 4, 5, 6]), tokens[0] * 0, {f"s/{name}": i for i, name in enumerate(NAMES)}, {}
    )


def test_three_parts_apply_the_algorithm_twice(embeddings: Embeddings) -> None:
    a, b, c, ab, abc = embeddings.tokens
    first = find_optimal(a, b, ab, [2, 3, 5], 30)
    second = find_optimal(first.embedding, c, abc, [3, 4, 6], 30)
    found = search_mixture(THREE, embeddings, 30, first_guide="s/ab-guide")
    assert (found.first_step, found.optimum.step) == (first.step, second.step)
    assert torch.equal(found.optimum.embedding, second.embedding)


def test_the_first_guide_is_that_of_the_pair() -> None:
    assert first_guides([TWO, THREE]) == {"s/abc": "s/ab-guide"}
    assert first_guides([THREE]) == {}


def test_results_survive_the_disk(embeddings: Embeddings, tmp_path: object) -> None:
    searches = [search_mixture(mixture, embeddings, k) for mixture in (TWO, THREE) for k in (10, 30)]
    write_searches(searches, tmp_path)
    optima, curves = read_optima(tmp_path), read_curves(tmp_path)
    assert optima.step.tolist() == [search.optimum.step for search in searches]
    assert pd.isna(optima.first_step[0])
    for search in searches:
        assert curves[search_key(search.mixture.id, search.k)]["total"] == pytest.approx(search.optimum.total.numpy())
    results = SearchResults(tmp_path, 30, embeddings)
    for mixture in (TWO, THREE):
        line = results.line(mixture)
        assert line.weight("optimum") == results.steps[mixture.id] / 30
        with safe_open(tmp_path / EMBEDDINGS, "pt") as file:
            written = file.get_tensor(search_key(mixture.id, 30))
        assert torch.equal(written, interpolate(line.a, line.b, results.steps[mixture.id], 30))


def test_without_a_search_all_files_are_there(tmp_path: Path) -> None:
    write_searches([], tmp_path)
    optima = read_optima(tmp_path)
    assert len(optima) == 0 and {"mixture", "k", "step"} <= set(optima)
    assert read_curves(tmp_path) == {}
    with safe_open(tmp_path / EMBEDDINGS, "pt") as file:
        assert not list(file.keys())


def test_missing_results_are_named(embeddings: Embeddings, tmp_path: object) -> None:
    with pytest.raises(FileNotFoundError, match="run the search stage"):
        SearchResults(tmp_path, 30, embeddings)


@pytest.mark.parametrize(
    ("optimum", "k", "steps"),
    [(14, 30, [1, 13, 14, 15, 30]), (1, 30, [1, 2, 30]), (30, 30, [1, 29, 30]), (2, 30, [1, 2, 3, 30]), (1, 1, [1])],
)
def test_strips_stay_on_the_interpolation(optimum: int, k: int, steps: list[int]) -> None:
    assert strip_steps(optimum, k) == steps
