"""What arrays depend on beside weights and code: libraries and the device, which change their last digits."""

from functools import cache

from metrics.versions import version

NOT_RECORDED = "not recorded"  # of what was made before environments were


def environment(device: str, *libraries: str) -> dict[str, str]:
    """Versions of torch and of further libraries, and the device's name.

    Args:
        device: as torch names it, "cpu" or "cuda:0".

    Raises:
        ValueError: if it is a GPU and there is none.
    """
    return {name: version(name) for name in ("torch", *libraries)} | {"device": device_name(device)}


@cache  # in a worker that was forked, torch would refuse to look
def device_name(device: str) -> str:
    """The name of a GPU; of another device what torch calls it. Errors as in `environment`."""
    if not device.startswith("cuda"):
        return device
    import torch

    if not torch.cuda.is_available():
        raise ValueError(f"device {device}: torch {torch.__version__} sees no GPU here, expected cpu")
    return torch.cuda.get_device_name(device)
