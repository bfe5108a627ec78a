"""float32 that is float32: networks compute without the shorter formats that torch allows itself for speed.

TF32 has 10 bits of mantissa for float32's 23. torch takes it for convolutions on a GPU unless told otherwise, and for
products of matrices if `torch.set_float32_matmul_precision` allows it, on CPUs even bfloat16.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

T = TypeVar("T")
_OPERATIONS = (
    torch.backends.cudnn.conv,
    torch.backends.cudnn.rnn,
    torch.backends.cuda.matmul,
    torch.backends.mkldnn.conv,
    torch.backends.mkldnn.matmul,
)


@contextmanager
def full_float32() -> Iterator[None]:
    """No TF32, nor bfloat16 in its place, in here; what the user had set holds again afterwards.

    It changes nothing where tensors are of another type, as in I3D's bfloat16.
    """
    before = [operation.fp32_precision for operation in _OPERATIONS]
    convolutions = _readable(lambda: torch.backends.cudnn.allow_tf32)
    products = _readable(torch.get_float32_matmul_precision)
    try:
        _set(False, "highest", ["ieee"] * len(_OPERATIONS))
        yield
    finally:
        _set(convolutions, products, before)


def _readable(read: Callable[[], T]) -> T | None:
    """An old setting; None where a newer one contradicts it, and torch refuses to read it."""
    try:
        return read()
    except RuntimeError:
        return None


def _set(convolutions: bool | None, products: str | None, precisions: list[str]) -> None:
    """torch's old settings, then the new ones: torch refuses to run what finds the two unlike."""
    if convolutions is not None:
        torch.backends.cudnn.allow_tf32 = convolutions
    if products is not None:
        torch.set_float32_matmul_precision(products)
    for operation, precision in zip(_OPERATIONS, precisions, strict=True):
        operation.fp32_precision = precision
