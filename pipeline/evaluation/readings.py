"""The judge's readings as columns of a table, one number each, and back."""

from dataclasses import fields

import numpy as np
import pandas as pd

from pipeline.world.judge import Readings

_VECTORS = {"velocity": ("velocity_x", "velocity_y"), "heading": ("heading_x", "heading_y")}
_CONVERTED = (*_VECTORS, "objects", "presence", "steady")
COLUMNS = tuple(name for field in fields(Readings) for name in _VECTORS.get(field.name, (field.name,)))


def numbers_of(readings: Readings) -> np.ndarray:
    """The readings of one clip, in the order of COLUMNS, float64."""
    return np.array([value for field in fields(Readings) for value in np.ravel(getattr(readings, field.name))], float)


def readings_of(table: pd.DataFrame) -> Readings:
    """The readings of a table's rows; rows that were not scored show nothing, nor does what an earlier judge that wrote
    the table did not read."""
    numbers = {f.name: table[f.name].to_numpy(float) for f in fields(Readings) if f.name not in _CONVERTED}
    return Readings(
        **numbers,
        **{name: table.reindex(columns=list(columns)).to_numpy(float) for name, columns in _VECTORS.items()},
        objects=table["objects"].fillna(0).to_numpy(int),
        presence=table["presence"].fillna(0.0).to_numpy(float),
        steady=table["steady"].fillna(0.0).to_numpy(float) > 0,
    )
