"""What is fetched of a hub's repository."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import pytest
from huggingface_hub.utils import filter_repo_objects

from pipeline.weights.checkpoints import NOT_READ

SHA = "0123456789abcdef0123456789abcdef01234567"

# The layouts, not whole lists: the names of Stable Diffusion v1.5, CLIP and ModelScope as their repositories have them.
STABLE_DIFFUSION = [
    *("README.md", "model_index.json", "v1-inference.yaml", "v1-5-pruned.ckpt", "v1-5-pruned-emaonly.safetensors"),
    *("feature_extractor/preprocessor_config.json", "scheduler/scheduler_config.json"),
    *("safety_checker/config.json", "safety_checker/model.safetensors", "safety_checker/pytorch_model.bin"),
    *("text_encoder/config.json", "text_encoder/model.safetensors", "text_encoder/model.fp16.safetensors"),
    *("text_encoder/pytorch_model.bin", "text_encoder/pytorch_model.fp16.bin"),
    *("tokenizer/merges.txt", "tokenizer/tokenizer_config.json", "tokenizer/vocab.json", "unet/config.json"),
    *("unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.fp16.safetensors"),
    *("unet/diffusion_pytorch_model.non_ema.safetensors", "unet/diffusion_pytorch_model.non_ema.bin"),
    *("unet/diffusion_pytorch_model.bin", "vae/config.json", "vae/diffusion_pytorch_model.safetensors"),
    *("vae/diffusion_pytorch_model.bin", "vae/diffusion_pytorch_model.fp16.bin"),
]
CLIP = [
    *("config.json", "flax_model.msgpack", "merges.txt", "preprocessor_config.json", "pytorch_model.bin"),
    *("tf_model.h5", "tokenizer.json", "vocab.json", "README.md"),
]
ADAPTER = ["config.json", "diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.safetensors"]
T5 = [
    *("model_index.json", "text_encoder/config.json", "text_encoder/model.safetensors.index.json"),
    *("text_encoder/model-00001-of-00002.safetensors", "text_encoder/model-00002-of-00002.safetensors"),
    *("tokenizer/spiece.model", "transformer/diffusion_pytorch_model.safetensors"),
]
IP_ADAPTER = ["models/ip-adapter_sd15.bin", "models/ip-adapter_sd15.safetensors", "models/image_encoder/config.json"]


def fetched(files: list[str]) -> list[str]:
    """As huggingface_hub reads the names, as patterns."""
    return list(filter_repo_objects(files, ignore_patterns=NOT_READ))


def test_of_a_pipelines_weights_those_of_full_precision_are_fetched() -> None:
    weights = [name for name in fetched(STABLE_DIFFUSION) if name.endswith((".safetensors", ".bin", ".ckpt"))]
    assert sorted(weights) == [
        *("text_encoder/model.safetensors", "text_encoder/pytorch_model.bin"),
        *("unet/diffusion_pytorch_model.bin", "unet/diffusion_pytorch_model.safetensors"),
        *("vae/diffusion_pytorch_model.bin", "vae/diffusion_pytorch_model.safetensors"),
    ]
    configurations = {name for name in STABLE_DIFFUSION if name.endswith((".json", ".txt"))}
    assert configurations - set(fetched(STABLE_DIFFUSION)) == {"safety_checker/config.json"}


@pytest.mark.parametrize(
    ("files", "left"),
    [
        (CLIP, {"flax_model.msgpack", "tf_model.h5"}),
        (ADAPTER, {"diffusion_pytorch_model.fp16.safetensors"}),
        (T5, set()),
        (IP_ADAPTER, set()),  # params.yaml names one of them
    ],
)
def test_nothing_that_is_read_is_left_out(files: list[str], left: set[str]) -> None:
    assert set(files) - set(fetched(files)) == left


class Hub(BaseHTTPRequestHandler):
    """What the hub answers of a repository that holds CLIP's names, each file its own name; notes what was fetched."""

    fetched: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """A listing, the repository's description, or a file."""
        files = ["model.safetensors", *CLIP]
        if "/tree/" in self.path:
            self._answer(json.dumps([{"type": "file", "path": name, "size": len(name), "oid": "0"} for name in files]))
        elif self.path.startswith("/api/"):
            self._answer(json.dumps({"id": "a/b", "sha": SHA, "siblings": [{"rfilename": name} for name in files]}))
        else:
            name = self.path.split(f"{SHA}/")[1]
            if self.command == "GET":
                self.fetched.append(name)
            self._answer(name, {"X-Repo-Commit": SHA, "ETag": f'"{name}"'})

    do_HEAD = do_GET

    def _answer(self, text: str, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        self.send_response(200)
        for key, value in {"Content-Length": str(len(text)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(text.encode())


def test_a_hubs_files_are_fetched_once_and_used_without_network(root: Path, tmp_path: Path) -> None:
    """By the real client, from a hub on this machine."""
    script = "from pipeline.weights.checkpoints import resolve; print(resolve('a/b'))"

    def resolved(endpoint: str) -> Path:
        environment = os.environ | {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0"}
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return Path(done.stdout.strip())

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        folder = resolved(endpoint)
        assert sorted(Hub.fetched) == sorted(fetched(["model.safetensors", *CLIP]))
        assert sorted(path.name for path in folder.iterdir()) == sorted(Hub.fetched)
        server.shutdown()
    assert resolved(endpoint) == folder
