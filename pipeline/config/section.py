"""What all sections of params.yaml share: no unknown keys, and names that must be defined elsewhere."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A part of params.yaml that knows all of its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


def subset(key: str, names: Iterable[str], where: str, known: Iterable[str]) -> None:
    """Refuse names that `where` does not define.

    Raises:
        ValueError: naming the key, what is missing and what there is.
    """
    missing = sorted(set(names) - set(known))
    if missing:
        raise ValueError(f"{key} names {missing}, expected one of {where}: {sorted(known)}")
