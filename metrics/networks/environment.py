"""What arrays depend on beside weights and code: libraries and the device, which change their last digits."""

import re
from functools import cache

from metrics.versions import version

NOT_RECORDED = "not recorded"  # of what was made before environments were


def environment(device: str, *libraries: str) -> dict[str, str]:
    """Versions of torch and of further libraries, and the device's name.

    Args:
        device: as torch names it, "cpu" or "cuda:0".

    Raises:
        ValueError: if it is a GPU and there is none, or of another kind.
    """
    return {name: version(name) for name in ("torch", *libraries)} | {"device": device_name(device)}


@cache  # in a worker that was forked, torch would refuse to look
def device_name(device: str) -> str:
    """The name of a GPU, or "cpu". Errors as in `environment`."""
    if device == "cpu":
        return device
    if not re.fullmatch(r"cuda(:\d+)?", device):
        raise ValueError(f"device {device}: expected cpu, cuda or cuda:0, cuda:1 …")
    import torch

    if not torch.cuda.is_available():
        raise ValueError(f"device {device}: torch {torch.__version__} sees no GPU here, expected cpu")
    if (number := torch.device(device).index or 0) >= torch.cuda.device_count():
        raise ValueError(f"device {device}: there is no GPU {number}, torch sees {torch.cuda.device_count()}")
    return torch.cuda.get_device_name(device)
