from collections import Counter

import numpy as np
import pytest

from pipeline.world.captions import captions
from pipeline.world.render import render
from pipeline.world.scene import draw
from pipeline.world.spoilt import KINDS, spoil


def test_a_share_is_spoilt_each_kind_equally_often() -> None:
    names, scenes = draw(30, 3)
    clips, texts = render(scenes), captions(names, 3)
    spoilt, others, kinds = spoil(clips, texts, names, 0.5, seed=0)
    assert Counter(kinds) == {"": 15, **dict.fromkeys(KINDS, 5)}
    for i, kind in enumerate(kinds):
        frames = (spoilt[i] != clips[i]).any(axis=(1, 2, 3))
        assert (others[i] == texts[i]) == (kind != "wrong caption")
        assert frames.sum() == (8 if kind in ("blank frames", "noisy frames") else 0)
        if frames.any():
            assert frames[:8].all() or frames[8:].all()
            assert (spoilt[i][frames] == 0).all() == (kind == "blank frames")


def test_a_wrong_caption_is_of_another_colour_and_shape() -> None:
    names, scenes = draw(40, 4)
    texts = captions(names, 4)
    _, others, kinds = spoil(render(scenes), texts, names, 1, seed=0)
    for name, text, kind in zip(names, others, kinds, strict=True):
        if kind == "wrong caption":
            of = names[texts.index(text)]
            assert of.colour != name.colour
            assert of.shape != name.shape


def test_the_originals_stay() -> None:
    names, scenes = draw(6, 5)
    clips, texts = render(scenes), captions(names, 5)
    before = clips.copy(), list(texts)
    spoil(clips, texts, names, 1, seed=0)
    assert np.array_equal(clips, before[0])
    assert texts == before[1]


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_what_is_no_share_is_refused(share: float) -> None:
    names, scenes = draw(3, 5)
    with pytest.raises(ValueError, match=r"share: found .*, expected 0 to 1"):
        spoil(render(scenes), captions(names, 5), names, share, seed=0)


def test_without_another_content_no_caption_is_wrong() -> None:
    names, scenes = draw(1, 5)
    with pytest.raises(ValueError, match="no clip has another colour and shape"):
        spoil(render(scenes), captions(names, 5), names, 1, seed=0)
