"""weights: pinned public weights -> models/public/, verified by sha256."""

from pipeline.config import params, paths
from pipeline.config.entry import stage
from pipeline.weights.public import install_i3d, install_minilm


@stage
def main() -> None:
    local = params.load().weights
    install_i3d(local.i3d, paths.I3D)
    install_minilm(local.minilm, paths.MINILM)


if __name__ == "__main__":
    main()
