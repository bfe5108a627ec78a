"""The judge's readings as columns of a table, one number each, and back."""

from dataclasses import fields

import numpy as np
import pandas as pd

from pipeline.world.judge import Readings

_VECTORS = {"velocity": ("velocity_x", "velocity_y")}
_CONVERTED = ("velocity", "objects", "presence", "steady")
COLUMNS = tuple(name for field in fields(Readings) for name in _VECTORS.get(field.name, (field.name,)))


def numbers_of(readings: Readings) -> np.ndarray:
    """The readings of one clip, in the order of COLUMNS, float64."""
    return np.array([value for field in fields(Readings) for value in np.ravel(getattr(readings, field.name))], float)


def readings_of(table: pd.DataFrame) -> Readings:
    """The readings of a table's rows; rows that were not scored show nothing."""
    columns = {f.name: table[f.name].to_numpy(float) for f in fields(Readings) if f.name not in _CONVERTED}
    return Readings(
        **columns,
        velocity=table[list(_VECTORS["velocity"])].to_numpy(float),
        objects=table["objects"].fillna(0).to_numpy(int),
        presence=table["presence"].fillna(0.0).to_numpy(float),
        steady=table["steady"].fillna(0.0).to_numpy(float) > 0,
    )
