import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.harivo.mapping import MappingNetwork
from pipeline.harivo.tokens import FrameTokens


@given(st.integers(1, 2), st.integers(1, 5), st.integers(1, 6))
def test_an_untrained_mapping_is_the_identity(batch: int, frames: int, size: int) -> None:
    latents = torch.randn(batch, 4, frames, size, size)
    assert torch.equal(MappingNetwork(4, heads=2, head_dim=4)(latents), latents)


def test_the_mapping_sees_other_frames_and_other_pixels() -> None:
    network = MappingNetwork(2, heads=1, head_dim=4)
    for layer in (network.out, network.conv[2]):
        torch.nn.init.normal_(layer.weight)
    latents = torch.randn(1, 2, 6, 8, 8, requires_grad=True)
    network(latents)[0, 0, 3, 4, 4].backward()
    reached = latents.grad[0].abs().sum(0) > 0
    assert reached[:, 4, 4].all()  # attention: every frame of the pixel
    assert reached[3, 2:7, 2:7].all()  # two convolutions: two pixels around
    assert not reached[3, 0, 0]


def test_the_mappings_attention_is_that_of_torch() -> None:
    network = MappingNetwork(4, heads=2, head_dim=3)
    torch.nn.init.normal_(network.out.weight)
    latents = torch.randn(2, 4, 5, 2, 2)
    pixel = latents[1, :, :, 1, 0].T  # (F, C): conv is zero at first
    attn, x = network.attention, network.norm(pixel)
    q, k, v = (layer(x).unflatten(1, (2, 3)).transpose(0, 1) for layer in (attn.to_q, attn.to_k, attn.to_v))
    mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v).transpose(0, 1).flatten(1)
    expected = pixel + network.out(attn.to_out[0](mixed))
    torch.testing.assert_close(network(latents)[1, :, :, 1, 0].T, expected)


def test_every_frame_gets_its_own_tokens_behind_the_prompt() -> None:
    generator = FrameTokens(width=8, length=5, frames=4, per_frame=3)
    text = torch.randn(2, 5, 8)
    extended = generator.extend(text.repeat_interleave(4, dim=0), frames=4).unflatten(0, (2, 4))
    assert extended.shape == (2, 4, 8, 8)
    assert torch.equal(extended[:, :, :5], text[:, None].expand(-1, 4, -1, -1))
    assert torch.equal(extended[:, :, 5:], generator(text))
    assert not torch.allclose(extended[:, 0, 5:], extended[:, 1, 5:])


def test_the_generator_is_the_papers_listing() -> None:
    """Appendix A, written out: linear, SiLU twice, a 1 x 1 convolution across tokens, SiLU, three linear with SiLU."""
    generator = FrameTokens(width=6, length=5, frames=2, per_frame=3)
    text = torch.randn(1, 5, 6)
    silu, layers = torch.nn.functional.silu, generator.layers
    x = silu(silu(layers[0](text)))
    x = silu(torch.einsum("om,bmd->bod", layers[3].weight[..., 0], x))
    for i in (5, 7, 9):
        x = silu(layers[i](x))
    torch.testing.assert_close(generator(text), x.reshape(1, 2, 3, 6))


@pytest.mark.parametrize(("frames", "length"), [(4, 4), (2, 5)])
def test_tokens_of_another_length_or_number_of_frames_are_refused(frames: int, length: int) -> None:
    message = f"{frames} frames with {length} text tokens: the token generator was trained for 4 with 5"
    with pytest.raises(ValueError, match=message):
        FrameTokens(width=8, length=5, frames=4).extend(torch.zeros(8, length, 8), frames)
