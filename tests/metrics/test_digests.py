"""Digests that name what is kept, and how tables print them."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from metrics.digests import SHOWN, digest, digest_of_text, shortened

numbers = st.dictionaries(st.text(max_size=3), st.integers(0, 3), max_size=3)


@given(a=numbers, b=numbers)
def test_choices_have_one_digest_if_they_are_equal(a: dict[str, int], b: dict[str, int]) -> None:
    assert (digest(a) == digest(b)) == (a == b)
    assert digest(a) == digest(dict(reversed(a.items())))
    assert len(digest(a)) == 64


def test_digests_are_sha256() -> None:
    assert digest({"b": 1, "a": "é"}) == hashlib.sha256(b'{"a": "\\u00e9", "b": 1}').hexdigest()
    assert digest_of_text("é") == hashlib.sha256("é".encode()).hexdigest()


def test_tables_print_the_first_digits() -> None:
    first, second = digest([1]), digest([2])
    text = f"{first}+{second} (fvd); v_abc 0123456789ab, {first}0"
    assert shortened(text) == f"{first[:SHOWN]}+{second[:SHOWN]} (fvd); v_abc 0123456789ab, {first}0"
