"""P: what it attends to, its units, guidance, and that it can learn."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from pipeline.make_a_video.diffusion import noise_schedule
from pipeline.make_a_video.prior import Prior, image_embeddings
from tests.pipeline.make_a_video.small import SCALE, prior

TOKENS, WIDTH, EMBEDDING = 6, 10, 8


@pytest.fixture
def model() -> Prior:
    return prior(TOKENS, WIDTH, EMBEDDING)


def texts(lengths: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Text embeddings, and tokens with zeros as padding."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randn(len(lengths), TOKENS, WIDTH, generator=generator)
    for one, length in zip(tokens, lengths, strict=True):
        one[length:] = 0
    return torch.randn(len(lengths), EMBEDDING, generator=generator), tokens


@torch.no_grad()
@settings(max_examples=10)
@given(length=st.integers(0, TOKENS))
def test_padding_is_not_attended_to(length: int) -> None:
    """Whatever stands at the places of the padding, as their positions do here, nothing changes; what stands at those
    of the text's own tokens does."""
    model = prior(TOKENS, WIDTH, EMBEDDING)
    text, tokens = texts([length, length])
    noisy, timestep = torch.randn(2, EMBEDDING), torch.tensor([5, 900])
    before = model(noisy, timestep, text, tokens)
    positions = model.transformer.positional_embedding
    positions[:, length:TOKENS] += 5
    assert torch.allclose(model(noisy, timestep, text, tokens), before, atol=1e-5)
    positions[:, :length] += torch.randn(length, positions.shape[2])
    assert torch.allclose(model(noisy, timestep, text, tokens), before, atol=1e-5) == (length == 0)


@torch.no_grad()
def test_the_texts_of_a_batch_have_masks_of_their_own(model: Prior) -> None:
    text, tokens = texts([2, 6, 0])
    noisy, timestep = torch.randn(3, EMBEDDING), torch.tensor([5, 900, 40])
    together = model(noisy, timestep, text, tokens)
    for i in range(3):
        row = slice(i, i + 1)
        alone = model(noisy[row], timestep[row], text[row], tokens[row])
        assert torch.allclose(alone, together[row], atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("place", range(4), ids=["noisy", "timestep", "text", "tokens"])
def test_everything_it_is_given_matters(model: Prior, place: int) -> None:
    text, tokens = texts([3])
    given = [torch.randn(1, EMBEDDING), torch.tensor([5]), text, tokens]
    before = model(*given)
    given[place] = torch.tensor([700]) if place == 1 else 2 * given[place]
    assert (model(*given) - before).abs().max() > 1e-4


@settings(max_examples=15)
@given(size=st.sampled_from([0.01, 1.0, 30.0]), shift=st.floats(-5, 5))
def test_standardising_is_undone_after_sampling(size: float, shift: float) -> None:
    model = prior(TOKENS, WIDTH, EMBEDDING)
    image = size * torch.randn(40, EMBEDDING, generator=torch.Generator().manual_seed(1)) + shift
    model.fit_scale(image)
    standard = model.standardised(image)
    assert torch.allclose(standard.mean(dim=0), torch.zeros(EMBEDDING), atol=1e-2)
    assert torch.allclose(standard.std(dim=0), torch.ones(EMBEDDING), atol=1e-2)
    back = model.transformer.post_process_latents(standard)
    assert torch.allclose(back, image, atol=1e-3 * (size + abs(shift)))


def test_mean_and_deviation_are_saved_and_not_trained(model: Prior) -> None:
    fixed = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert fixed == {"transformer.clip_mean", "transformer.clip_std"}
    assert model.config.text_scale == SCALE


def guided(model: Prior, guidance: float, rows: slice = slice(None)) -> torch.Tensor:
    text, tokens = texts([3, 5])
    noise = torch.randn(2, EMBEDDING, generator=torch.Generator().manual_seed(7))
    return image_embeddings(model, noise_schedule("sample"), text[rows], tokens[rows], noise[rows], 2, guidance)


@pytest.mark.parametrize(("guidance", "calls"), [(1.0, 1), (2.0, 2), (0.0, 2)])
def test_no_guidance_costs_half(model: Prior, guidance: float, calls: int) -> None:
    seen = []
    model.register_forward_hook(lambda *_: seen.append(1))
    guided(model, guidance)
    assert len(seen) == 2 * calls


def test_guidance_steers_away_from_no_text(model: Prior) -> None:
    """One step from noise is what is predicted: without + s (towards - without); 0 is no text at all."""
    text, tokens = texts([3, 5])
    noise, scheduler = torch.randn(2, EMBEDDING), noise_schedule("sample")
    with torch.no_grad():
        last = torch.tensor(999)
        towards = model(noise, last, text, tokens)
        without = model(noise, last, torch.zeros_like(text), torch.zeros_like(tokens))
    for scale in (0.0, 1.0, 2.5):
        found = image_embeddings(model, scheduler, text, tokens, noise, 1, scale)
        wanted = without + scale * (towards - without)
        assert torch.allclose(model.standardised(found), wanted, atol=1e-4)


def test_embeddings_depend_on_text_and_noise_of_their_row_alone(model: Prior) -> None:
    whole = guided(model, 2.0)
    assert torch.equal(whole, guided(model, 2.0))
    assert torch.allclose(whole[1:], guided(model, 2.0, slice(1, 2)), atol=1e-4)
    assert (whole[0] - whole[1]).abs().max() > 1e-3


def test_it_learns_which_embedding_a_text_has(model: Prior) -> None:
    """Two texts, two embeddings: sampled after some steps, each is nearer to its own."""
    text, tokens = texts([3, 5])
    wanted, scheduler = torch.tensor([[1.0], [-1.0]]).repeat(1, EMBEDDING), noise_schedule("sample")
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 1e-2)
    for _ in range(80):
        rows = torch.randint(2, (16,), generator=generator)
        noise = torch.randn(16, EMBEDDING, generator=generator)
        timestep = torch.randint(1000, (16,), generator=generator)
        noisy = scheduler.add_noise(wanted[rows], noise, timestep)
        F.mse_loss(model(noisy, timestep, text[rows], tokens[rows]), wanted[rows]).backward()
        optimizer.step()
        optimizer.zero_grad()
    found = model.standardised(guided(model, 1.0))
    assert (found[0] > 0).all()
    assert (found[1] < 0).all()
