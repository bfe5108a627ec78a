"""Rules for clips, and fingerprints that follow every choice."""

from dataclasses import fields, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.networks.rules import Resize
from metrics.reading.rule import ClipRule
from metrics.scoring.protocol import PROTOCOLS, Fingerprint, named

rules = st.builds(
    ClipRule, frames=st.integers(1, 8), start=st.integers(0, 5), stride=st.integers(1, 4), windows=st.integers(1, 4)
)


@given(rule=rules, length=st.integers(0, 120))
def test_windows_are_as_many_as_fit_and_do_not_overlap(rule: ClipRule, length: int) -> None:
    count, taken = rule.fitting(length), []
    for window in range(count):
        frames = list(rule.window(window))
        assert len(frames) == rule.frames
        assert all(b - a == rule.stride for a, b in pairwise(frames))
        assert not taken or frames[0] > taken[-1]
        taken += frames
    assert not taken or (taken[0] == rule.start and taken[-1] < length)
    assert count == rule.windows or rule.window(count)[-1] >= length


@pytest.mark.parametrize(("field", "value"), [("frames", 0), ("start", -1), ("stride", 0), ("windows", 0)])
def test_rules_that_make_no_clip_are_refused(field: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"{field} is {value}, expected at least"):
        ClipRule(**{field: value})


def test_protocols_differ_in_what_they_say_they_do() -> None:
    assert PROTOCOLS["styleganv"].ddof == 0
    assert {p.ddof for name, p in PROTOCOLS.items() if name != "styleganv"} == {1}
    assert PROTOCOLS["reference"].i3d_resize == Resize.SQUASH_BILINEAR_TF1
    assert PROTOCOLS["clip-centre"].clip_resize == Resize.CENTRE_BICUBIC
    with pytest.raises(ValueError, match="no protocol 'fid', expected one of reelbench, reference, styleganv"):
        named("fid")


def test_every_choice_changes_the_fingerprint() -> None:
    base = Fingerprint(
        *("fvd", "p", "i3d", "w", 16, 0, 1, 1, "squash", "[-1, 1]", "g", 512, "pyav", "h264", 512, "r", "c", "o", 1),
        *("s", "2", "f", "2.13.0", "5.0", "1.9", "cpu"),
    )
    other = {str: lambda v: v + "x", int: lambda v: v + 1}
    marks = {replace(base, **{f.name: other[type(v)](v)}).digest for f in fields(base) for v in [getattr(base, f.name)]}
    assert len(marks | {base.digest}) == len(fields(base)) + 1
    assert len(base.digest) == 64  # a short one would give one set of choices for another in silence
    assert "real" not in replace(base, real=None).choices
