"""What all sections of params.yaml share: typed keys, errors that name the nearest known one, and names that must be
defined elsewhere."""

import math
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError, model_validator


def _no_switch(value: Any) -> Any:
    """true is 1 to pydantic, and `tokens: true` one token."""
    if isinstance(value, bool):
        raise ValueError(f"expected a number, found {'true' if value else 'false'}")
    return value


_Int = Annotated[int, BeforeValidator(_no_switch)]
Number = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_no_switch)]
Positive = Annotated[_Int, Field(ge=1)]
Count = Annotated[_Int, Field(ge=0)]
Weight = Annotated[Number, Field(ge=0)]
Above = Annotated[Number, Field(gt=0)]
Share = Annotated[Number, Field(ge=0, le=1)]
KeptShare = Annotated[Number, Field(gt=0, le=1)]
Device = Annotated[str, Field(pattern=r"^(cpu|cuda(:\d+)?)$")]
Switch = StrictBool  # "no" in quotes is a text, and would otherwise be a matter of taste


class Section(BaseModel):
    """A part of params.yaml that knows all of its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    @model_validator(mode="before")
    @classmethod
    def _knows_its_keys(cls, values: Any) -> Any:
        if isinstance(values, dict) and cls.model_config.get("extra") == "forbid":
            refuse_unknown(values, cls.model_fields)
        return values


def is_square(number: int) -> bool:
    """Whether so many frames fill a grid."""
    return math.isqrt(number) ** 2 == number


def refuse_unknown(values: Iterable[Any], known: Iterable[str]) -> None:
    """Refuse keys that are not known.

    Raises:
        ValueError: naming each with the nearest known key, and all known ones.
    """
    known = list(dict.fromkeys(known))
    unknown = [str(key) for key in values if key not in known]
    if unknown:
        wrong = ", ".join(f"{key!r}{nearest(key, known)}" for key in unknown)
        raise ValueError(f"no such key: {wrong}; expected {'some of ' + ', '.join(known) if known else 'none'}")


def nearest(key: str, known: list[str]) -> str:
    """In brackets, to follow a name that is not known: the known one that may be meant; "" if none is near."""
    near = get_close_matches(key, known, n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""


def subset(key: str, names: Iterable[str], where: str, known: Iterable[str]) -> None:
    """Refuse names that `where` does not define.

    Raises:
        ValueError: naming the key, what is missing with the nearest known name, and what there is.
    """
    known = sorted(known)
    missing = sorted(set(names) - set(known))
    if missing:
        wrong = ", ".join(f"{name!r}{nearest(name, known)}" for name in missing)
        raise ValueError(f"{key} names {wrong}, expected one of {where}: {', '.join(known) or 'none'}")


def explain(error: ValidationError, data: Any, prefix: str = "") -> list[str]:
    """A sentence for each mistake: its key, what was found and what was expected.

    Args:
        data: what was validated. prefix: the key of `data` itself.
    """
    return [_sentence(mistake, data, prefix) for mistake in error.errors()]


def _sentence(mistake: Any, data: Any, prefix: str) -> str:
    key = ".".join(filter(None, [prefix, *_path(mistake["loc"], data)]))
    if mistake["type"] == "value_error":  # words of our own, which say what was found and expected
        said = str(mistake["ctx"]["error"])
        return said if not key or said.startswith(key) else f"{key}: {said}"
    if mistake["type"] == "missing":
        return f"{key}: is missing"
    if mistake["type"] == "union_tag_invalid":
        context = mistake["ctx"]
        field = context["discriminator"].strip("'")
        return f"{key}.{field}: is {context['tag']!r}, expected one of {context['expected_tags']}"
    return f"{key or 'the file'}: {mistake['msg']}, found {_short(mistake['input'])}"


def _path(location: tuple[str | int, ...], data: Any) -> list[str]:
    """The keys of a mistake as params.yaml has them: pydantic also names the member of a union that it tried."""
    keys: list[str] = []
    for place, part in enumerate(location):
        held = isinstance(data, dict) and part in data
        held = held or (isinstance(data, list) and isinstance(part, int) and part < len(data))
        if held:
            data = data[part]
        elif place < len(location) - 1 or not isinstance(data, dict):
            continue
        keys.append(str(part))
    return keys


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
