"""features@method: clips, decoded once -> I3D features, per-clip metrics and measurements."""

from pathlib import Path

from pipeline.config import params, paths
from pipeline.config.entry import stage


@stage
def main(name: str) -> None:
    import torch

    from metrics.networks.features import load_clip, load_i3d
    from metrics.scoring.cache import FeatureCache
    from metrics.scoring.scorer import Scorer
    from metrics.statistics.bootstrap import Uncertainty
    from pipeline.evaluation.features import JudgeReadings, extract
    from pipeline.weights.checkpoints import resolve

    wanted = params.load().features
    device = "cuda" if torch.cuda.is_available() else "cpu"
    protocol = wanted.chosen_protocol
    networks = [
        load_i3d(paths.I3D, protocol.i3d_resize, device),
        load_clip(resolve(wanted.clip), Path(wanted.clip_text_tower), protocol.clip_resize, device),
        JudgeReadings(),
    ]
    cache = FeatureCache(paths.SCRATCH / "features")
    scorer = Scorer(networks, protocol, cache, Uncertainty(), batch=wanted.batch, workers=wanted.workers)
    extract(paths.clips(name), scorer, paths.features(name))


if __name__ == "__main__":
    main()
