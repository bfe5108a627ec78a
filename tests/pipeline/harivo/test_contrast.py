"""The limit of L_DC's gradient."""

import numpy as np
import torch

from pipeline.harivo.contrast import MedianLimit


def test_the_gradient_is_limited_to_the_median_of_the_last_norms() -> None:
    """Written out over a list; features pass as they are, and gradients that come another way are not limited."""
    limit, rng = MedianLimit(lambda rows: rows, length=4), np.random.default_rng(0)
    last: list[float] = []
    for scale in [1.0, 100.0, *rng.uniform(0.1, 10, 8)]:
        features = torch.ones(2, 3, requires_grad=True)
        passed = limit(features)
        assert torch.equal(passed, features)
        (scale * passed.sum() + features.sum()).backward()
        last = [*last, scale * 6**0.5][-4:]
        middle = sorted(last)[(len(last) - 1) // 2]  # of an even number the lower, as torch takes it
        expected = scale * min(1, middle / last[-1]) + 1
        torch.testing.assert_close(features.grad, torch.full((2, 3), expected))


def test_processes_that_share_a_batch_limit_by_the_norm_of_the_whole() -> None:
    """Each has the sum over processes of its rows' gradient; the mean over processes is taken later."""
    gradients = [torch.tensor([3.0, 0.0]), torch.tensor([0.0, 4.0])]
    limit = MedianLimit(lambda norm: torch.tensor([3.0, 4.0]), length=4)
    for gradient in gradients:
        features = torch.zeros(2, requires_grad=True)
        (limit(features) * gradient).sum().backward()
        torch.testing.assert_close(features.grad, gradient)
    torch.testing.assert_close(limit.norms[:2], torch.tensor([2.5, 2.5]))
