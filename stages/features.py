"""features@method: clips, decoded once -> I3D features, per-clip metrics and measurements."""

from pathlib import Path

from pipeline import params, paths
from pipeline.stage import stage


@stage
def main(name: str) -> None:
    import torch

    from metrics.bootstrap import Uncertainty
    from metrics.cache import FeatureCache
    from metrics.networks import load_clip, load_i3d
    from metrics.score import Scorer
    from pipeline.checkpoints import resolve
    from pipeline.features import JudgeReadings, extract

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
