"""The trainings behind a method, on the parameters that are shipped."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.config import params
from pipeline.config.params import Params
from pipeline.report.lineage import Step, behind, step


@pytest.fixture
def values(root: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """params.yaml as it is written."""
    monkeypatch.chdir(root)
    return params.read()


def lineage(values: dict[str, Any], name: str) -> list[Step]:
    wanted = Params.model_validate(values)
    return behind(wanted, wanted.generate.methods[name])


def test_a_chain_ends_with_what_the_method_names(values: dict[str, Any]) -> None:
    train = values["train"]
    images = Step(
        "t2i", train["t2i"]["spec"]["scenes"], train["t2i"]["schedule"]["steps"], train["t2i"]["spec"]["batch"]
    )
    assert lineage(values, "frames") == [images]
    for method, name in (("animatediff", "animatediff"), ("harivo_tokens", "harivo"), ("etc", "etc")):
        spec, schedule = train[name]["spec"], train[name]["schedule"]
        assert lineage(values, method) == [images, Step(name, spec["used"], schedule["steps"], spec["batch"])]
    assert [one.name for one in lineage(values, "personalised")] == ["t2i", "harivo", "lora"]


def test_only_the_scenes_that_are_used_count(values: dict[str, Any]) -> None:
    values["train"]["animatediff"]["spec"] = values["train"]["animatediff"]["spec"] | {"used": 123}
    assert lineage(values, "animatediff")[-1].clips == 123


def test_weights_from_elsewhere_have_a_name_alone(values: dict[str, Any]) -> None:
    """A folder that is called like one of ours is not ours; what is trained on it is."""
    foreign = "/somewhere/t2i"
    for section in ("images", "images_cueless"):
        values["generate"]["models"][section] = values["generate"]["models"][section] | {"checkpoint": foreign}
    values["train"]["animatediff"]["spec"] = values["train"]["animatediff"]["spec"] | {"checkpoint": foreign}
    first, second = lineage(values, "animatediff")
    assert first == Step(foreign)
    assert (second.name, second.batch) == ("animatediff", 4)


def test_a_folder_of_videos_is_not_counted(values: dict[str, Any]) -> None:
    videos = {"clips": "videos", "captions": "captions.csv", "frames": 16, "size": 32}
    values["train"]["animatediff"]["spec"] = values["train"]["animatediff"]["spec"] | {"videos": videos}
    own = lineage(values, "animatediff")[-1]
    assert own.clips is None and own.iterations


def test_a_codec_is_a_step_too(values: dict[str, Any]) -> None:
    codec = step(Params.model_validate(values).train, "models/world/codec")
    assert codec.clips == values["train"]["codec"]["spec"]["scenes"]
