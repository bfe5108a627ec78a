import math

import pytest
import torch
from diffusers import UNet2DConditionModel
from hypothesis import given
from hypothesis import strategies as st

from pipeline.etc.attention import frame_shares, recorded
from pipeline.etc.unet import GridUNet

FPS = torch.tensor([8.0])
SIDES, TILES = st.integers(1, 3), st.integers(1, 3)


def frame_of(token: int, root: int, h: int, w: int) -> int:
    """Eq. 1 at a token of a feature map of root h x root w, row by row."""
    x, y = divmod(token, root * w)
    return x // h + y // w * root


def literal(weights: torch.Tensor, root: int, h: int, w: int) -> torch.Tensor:
    """Figure 11's sum, token by token, divided by the tokens of a frame."""
    frames = root**2
    sums = torch.zeros(*weights.shape[:2], frames, frames)
    for x in range(frames * h * w):
        for y in range(frames * h * w):
            sums[:, :, frame_of(x, root, h, w), frame_of(y, root, h, w)] += weights[:, :, x, y]
    return sums / (h * w)


def drawn(tokens: int) -> torch.Tensor:
    """(2, 3, tokens, tokens), rows that sum to 1."""
    return torch.randn(2, 3, tokens, tokens, generator=torch.Generator().manual_seed(tokens)).mul(3).softmax(-1)


@given(SIDES, TILES, TILES)
def test_shares_are_the_sums_over_pairs_of_frames(root: int, h: int, w: int) -> None:
    weights = drawn(root**2 * h * w)
    found = frame_shares(weights, root**2, root * h, root * w)
    assert torch.allclose(found, literal(weights, root, h, w), atol=1e-5)
    assert torch.allclose(found.sum(-1), torch.ones(2, 3, root**2), atol=1e-5)


@given(SIDES, TILES, TILES)
def test_even_attention_gives_every_frame_the_same(root: int, h: int, w: int) -> None:
    tokens = root**2 * h * w
    found = frame_shares(torch.full((1, 1, tokens, tokens), 1 / tokens), root**2, root * h, root * w)
    assert torch.allclose(found, torch.full_like(found, 1 / root**2))


@given(SIDES, TILES, TILES)
def test_attention_within_frames_stays_there(root: int, h: int, w: int) -> None:
    frames = torch.tensor([frame_of(token, root, h, w) for token in range(root**2 * h * w)])
    inside = (frames[:, None] == frames).float() / (h * w)
    found = frame_shares(inside[None, None], root**2, root * h, root * w)
    assert torch.allclose(found[0, 0], torch.eye(root**2))


def test_what_gives_from_one_frame_to_another_is_no_column() -> None:
    """Frame 1, below frame 0, looks at frame 2 alone, right of it: rows give, columns receive."""
    weights = torch.eye(4)[None, None].clone()
    weights[0, 0, 2] = torch.tensor([0.0, 1.0, 0.0, 0.0])  # tokens row by row: 0 2 / 1 3
    assert frame_shares(weights, 4, 2, 2)[0, 0].tolist() == [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


@pytest.mark.parametrize(
    ("frames", "height", "width", "message"),
    [
        (4, 4, 4, r"over a feature map of 4x4: found 36x36, expected 16²"),
        (9, 4, 9, r"a grid of 9 frames: found 4x9, expected multiples of 3"),
        (8, 6, 6, r"frames: found 8, expected a square number"),
    ],
)
def test_maps_that_are_of_no_grid_are_refused(frames: int, height: int, width: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        frame_shares(drawn(36), frames, height, width)


@pytest.fixture
def model() -> GridUNet:
    """A grid model for latents with four channels, whose mid block has half of their height and width."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=12,
        attention_head_dim=2,
        norm_num_groups=4,
    )
    attention = unet.mid_block.attentions[0].transformer_blocks[0].attn1
    for layer in (attention.to_q, attention.to_k):
        torch.nn.init.normal_(layer.weight, std=0.7)  # else attention is nearly even
    return GridUNet.of(unet, mixed=True).eval()


@pytest.fixture
def inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.randn(2, 4, 9, 4, 6), torch.tensor(700), torch.randn(2, 5, 12), FPS


@torch.no_grad()
def test_recording_changes_no_prediction(model: GridUNet, inputs: tuple) -> None:
    before, processors = model(*inputs).sample, dict(model.unet.attn_processors)
    with recorded(model) as found:
        assert torch.equal(model(*inputs).sample, before)
        model(inputs[0], torch.tensor(30), *inputs[2:])
    assert [one.timestep for one in found] == [700, 30]
    assert (found[0].shares - found[1].shares).abs().max() > 1e-4
    assert model.unet.attn_processors == processors
    model(*inputs)
    assert len(found) == 2  # nothing listens any more


@torch.no_grad()
def test_what_is_recorded_is_the_mid_blocks_attention(model: GridUNet, inputs: tuple) -> None:
    """Written out on the feature map, place by place, where tokens have no order yet."""
    seen: list[torch.Tensor] = []
    layer = model.unet.mid_block.attentions[0]
    layer.proj_in.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    with recorded(model) as found:
        model(*inputs)
    (features,), block = seen, layer.transformer_blocks[0]
    assert features.shape == (2, 16, 6, 9)  # 9 frames of 4 x 6 latents, halved
    places = [(x, y) for x in range(6) for y in range(9)]
    tokens = block.norm1(torch.stack([features[:, :, x, y] for x, y in places], 1))
    frames = [x // 2 + y // 3 * 3 for x, y in places]
    wanted = torch.zeros(2, 2, 9, 9)
    for head in range(2):
        own = slice(8 * head, 8 * head + 8)
        query, key = (tokens @ matrix.weight[own].T for matrix in (block.attn1.to_q, block.attn1.to_k))
        weights = (query @ key.transpose(1, 2) / math.sqrt(8)).softmax(-1)
        for i, giving in enumerate(frames):
            for j, receiving in enumerate(frames):
                wanted[:, head, giving, receiving] += weights[:, i, j] / 6
    assert torch.allclose(found[0].shares, wanted, atol=1e-5)
    assert (wanted - 1 / 9).abs().max() > 0.01  # not even, which any order would pass


@torch.no_grad()
def test_frames_without_whole_tokens_are_refused(model: GridUNet, inputs: tuple) -> None:
    """Latents of 3 x 6 make a grid of 6 x 12 for 4 frames, whose tokens, 3 x 6, lie across the frames' borders."""
    processors = dict(model.unet.attn_processors)
    message = "frames of latents: found 3x6, expected multiples of 2"
    with pytest.raises(ValueError, match=message), recorded(model):
        model(torch.randn(1, 4, 4, 3, 6), *inputs[1:2], inputs[2][:1], FPS)
    assert model.unet.attn_processors == processors
    model(*inputs)


def test_a_mid_block_without_attention_is_refused() -> None:
    unet = UNet2DConditionModel(
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2D",
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=12,
        attention_head_dim=2,
        norm_num_groups=4,
    )
    message = "mid block: found 0 layers of self-attention, expected one"
    with pytest.raises(ValueError, match=message), recorded(GridUNet.of(unet, mixed=False)):
        pass
