"""Batches, the part of one that a process takes, and what is random in a step."""

from dataclasses import dataclass

import pytest
import torch

from pipeline.training.task import WHOLE, Batch, Share, gathered, step_generator


@dataclass(frozen=True)
class Numbers(Batch):
    first: torch.Tensor
    second: torch.Tensor


@pytest.mark.parametrize("of", [1, 2, 3, 6])
def test_the_parts_of_all_processes_are_the_batch(of: int) -> None:
    whole = Numbers(torch.arange(6), torch.randn(6, 2))
    parts = [whole.part(Share(rank, of)) for rank in range(of)]
    assert {len(part.first) for part in parts} == {6 // of}
    assert torch.equal(torch.cat([part.first for part in parts]), whole.first)
    assert torch.equal(torch.cat([part.second for part in parts]), whole.second)


def test_a_batch_that_cannot_be_divided_equally_is_refused() -> None:
    with pytest.raises(ValueError, match="a batch of 6 cannot be divided equally among 4 processes or parts"):
        Numbers(torch.arange(6), torch.arange(6)).part(Share(3, 4))


def test_a_process_by_itself_has_it_all() -> None:
    rows = torch.randn(3, 2, requires_grad=True)
    assert gathered(rows) is rows
    assert torch.equal(Numbers(rows, rows).part(WHOLE).to("cpu").first, rows)


def test_what_is_random_depends_on_seed_and_step_alone() -> None:
    first, again, later, other = (
        torch.randn(3, generator=step_generator(seed, step)) for seed, step in ((0, 5), (0, 5), (0, 6), (1, 5))
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, later)
    assert not torch.equal(first, other)


def test_the_seed_of_a_step_is_frozen() -> None:
    """The shipped curves rest on it."""
    assert step_generator(2, 5).initial_seed() == 2_000_011
