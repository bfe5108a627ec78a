"""What a training must keep to continue after a kill: one safetensors file, written aside and renamed; no pickle, and
never half a file under the final name."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from diffusers.training_utils import EMAModel
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn


@dataclass
class History:
    """The curves of a run, one row per logged step."""

    rows: list[dict[str, float]] = field(default_factory=list)

    def add(self, step: int, **values: float) -> None:
        """Values of a step, into its row if it has one."""
        if self.rows and self.rows[-1]["step"] == step:
            self.rows[-1].update(values)
        else:
            self.rows.append({"step": step, **values})


@dataclass
class State:
    """Everything that a step changes. `model` is the task's own, not what accelerate made of it; `optimizer` and `ema`
    know its trained parameters, in their order."""

    model: nn.Module
    optimizer: Any  # torch's, or accelerate's around it
    ema: EMAModel
    history: History = field(default_factory=History)

    @property
    def weights(self) -> list[nn.Parameter]:
        """The trained parameters."""
        return trained(self.model)

    def tensors(self) -> dict[str, torch.Tensor]:
        """Views of weights, averages and moments of the trained parameters, and of all buffers, by name."""
        own = [(name, parameter) for name, parameter in self.model.named_parameters() if parameter.requires_grad]
        tensors: dict[str, torch.Tensor] = {}
        for (name, parameter), shadow in zip(own, self.ema.shadow_params, strict=True):
            tensors[f"model.{name}"] = parameter.data
            tensors[f"ema.{name}"] = shadow
            for key, value in self.optimizer.state[parameter].items():
                tensors[f"{key}.{name}"] = value
        return tensors | {f"buffer.{name}": buffer for name, buffer in self.model.named_buffers()}


def trained(model: nn.Module) -> list[nn.Parameter]:
    """The parameters that ask for gradients."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def save(path: Path, identity: str, step: int, state: State) -> None:
    """Write a checkpoint of a training after `step` steps."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".tmp")
    metadata = {"identity": identity, "step": str(step), "history": json.dumps(state.history.rows)}
    save_file({name: value.detach().contiguous() for name, value in state.tensors().items()}, aside, metadata)
    aside.replace(path)


def restore(path: Path, identity: str, state: State) -> int:
    """Load a checkpoint of the same identity, if there is one; returns the number of steps already taken."""
    if not path.is_file():
        return 0
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
        if metadata["identity"] != identity:
            return 0
        for parameter in state.weights:
            state.optimizer.state[parameter] = _fresh_moments(parameter)
        for name, value in state.tensors().items():
            value.copy_(file.get_tensor(name))
    state.ema.optimization_step = int(metadata["step"])
    state.history.rows[:] = json.loads(metadata["history"])
    return int(metadata["step"])


def _fresh_moments(parameter: nn.Parameter) -> dict[str, torch.Tensor]:
    """What AdamW keeps of a parameter."""
    return {
        "step": torch.zeros(()),
        "exp_avg": torch.zeros_like(parameter),
        "exp_avg_sq": torch.zeros_like(parameter),
    }
