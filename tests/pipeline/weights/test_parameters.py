from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from pipeline.codec.loading import load_codec
from pipeline.weights.parameters import parameters


def test_the_shipped_codec_is_counted_as_torch_loads_it(root: Path) -> None:
    folder = root / "models/world/codec"
    assert parameters(folder) == sum(tensor.numel() for tensor in load_codec(folder).state_dict().values())


def test_shards_and_two_precisions_count_once(tmp_path: Path) -> None:
    whole = {"a": np.zeros((2, 3), np.float32), "b": np.zeros((4,), np.float32)}
    save_file(whole, tmp_path / "model.safetensors")
    save_file({name: x.astype(np.float16) for name, x in whole.items()}, tmp_path / "model.fp16.safetensors")
    save_file({"c": np.zeros((5,), np.float32)}, tmp_path / "model-00002-of-00002.safetensors")
    assert parameters(tmp_path) == 2 * 3 + 4 + 5


def test_positions_are_no_parameters(tmp_path: Path) -> None:
    values = {"weight": np.zeros((2, 2), np.float32), "position_ids": np.arange(512)}
    save_file(values, tmp_path / "model.safetensors")
    assert parameters(tmp_path) == 4


def test_a_folder_without_weights_has_no_number(tmp_path: Path) -> None:
    assert parameters(tmp_path) is None
    assert parameters(tmp_path / "nowhere") is None
