"""RichSpace's model definitions (3.4-3.8, Algorithm 4) against the diffusers modules that compute them."""

import pytest
import torch
from diffusers import CogVideoXTransformer3DModel
from diffusers.models.embeddings import CogVideoXPatchEmbed
from torch import Tensor
from torch.nn import functional as F

FRAMES, CHANNELS, SIDE, WIDTH, TOKENS = 3, 4, 8, 16, 5


@pytest.fixture
def model() -> CogVideoXTransformer3DModel:
    torch.manual_seed(0)
    return CogVideoXTransformer3DModel(
        num_attention_heads=1, attention_head_dim=WIDTH, in_channels=CHANNELS, out_channels=CHANNELS, time_embed_dim=8,
        text_embed_dim=12, num_layers=2, sample_width=SIDE, sample_height=SIDE, sample_frames=FRAMES, patch_size=2,
        temporal_compression_ratio=1, max_text_seq_length=TOKENS,
    ).eval()  # fmt: skip


def test_patches_are_a_convolution_of_stride_two(model: CogVideoXTransformer3DModel) -> None:
    """Algorithm 4, lines 19-24: convolve each frame (s = 2), flatten frames and places, put the text in front.

    The paper writes padding 2 and a 3 x 3 kernel; CogVideoX cuts 2 x 2 patches without padding.
    """
    embed: CogVideoXPatchEmbed = model.patch_embed
    text, video = torch.randn(1, TOKENS, 12), torch.randn(1, FRAMES, CHANNELS, SIDE, SIDE)
    hidden = embed(text, video) - embed.pos_embedding.float()
    assert hidden.shape == (1, TOKENS + FRAMES * (SIDE // 2) ** 2, WIDTH)
    assert torch.allclose(hidden[:, :TOKENS], embed.text_proj(text), atol=1e-5)
    weight, bias = embed.proj.weight, embed.proj.bias
    for frame, y, x in ((0, 0, 0), (1, 2, 3), (2, 3, 1)):
        patch = video[0, frame, :, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2]
        expected = (weight * patch).sum((1, 2, 3)) + bias
        row = TOKENS + (frame * (SIDE // 2) + y) * (SIDE // 2) + x
        assert torch.allclose(hidden[0, row], expected, atol=1e-5)


def literal_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Definition 3.4 with A = exp(QK^T / sqrt(d)): D^-1 A V, D the row sums of A."""
    a = torch.exp(q @ k.T / q.shape[1] ** 0.5)
    return torch.diag(1 / a.sum(1)) @ a @ v


def test_attention_runs_over_text_and_all_places_of_all_frames(model: CogVideoXTransformer3DModel) -> None:
    """Algorithm 4, lines 25-29: one attention over the whole row of tokens, then split into text and video."""
    attention = model.transformer_blocks[0].attn1
    text, video = torch.randn(1, TOKENS, WIDTH), torch.randn(1, 12, WIDTH)
    both = torch.cat([text, video], 1)
    q, k, v = (layer(both)[0] for layer in (attention.to_q, attention.to_k, attention.to_v))
    expected = attention.to_out[0](literal_attention(attention.norm_q(q), attention.norm_k(k), v))
    found_video, found_text = attention(hidden_states=video, encoder_hidden_states=text)
    assert torch.allclose(found_text[0], expected[:TOKENS], atol=1e-5)
    assert torch.allclose(found_video[0], expected[TOKENS:], atol=1e-5)


def test_the_output_is_a_linear_map_put_back_in_place(model: CogVideoXTransformer3DModel) -> None:
    """Algorithm 4, lines 30-33: each token's linear projection is the 2 x 2 patch at its place."""
    captured: dict[str, Tensor] = {}
    model.proj_out.register_forward_hook(lambda _, inputs, output: captured.update(tokens=inputs[0], patches=output))
    output = model(
        torch.randn(1, FRAMES, CHANNELS, SIDE, SIDE), torch.randn(1, TOKENS, 12), torch.tensor([3]), return_dict=False
    )[0]
    linear = F.linear(captured["tokens"], model.proj_out.weight, model.proj_out.bias)
    assert torch.allclose(captured["patches"], linear)
    row = (1 * 4 + 2) * 4 + 3  # frame 1, place (2, 3)
    assert torch.allclose(output[0, 1, :, 4:6, 6:8], linear[0, row].view(CHANNELS, 2, 2))


def test_the_model_is_a_stack_of_blocks(model: CogVideoXTransformer3DModel) -> None:
    """Definition 3.8: text and video go through every block; a change of the text reaches the video."""
    video, time = torch.randn(1, FRAMES, CHANNELS, SIDE, SIDE), torch.tensor([3])
    one, other = (model(video, text, time, return_dict=False)[0] for text in torch.randn(2, 1, TOKENS, 12))
    assert len(model.transformer_blocks) == 2
    assert one.shape == video.shape
    assert not torch.allclose(one, other)
