"""features@method: clips, decoded once -> I3D and CLIP features and per-clip measurements."""

from pathlib import Path

from pipeline import params, paths
from pipeline.stage import stage


@stage
def main(name: str) -> None:
    import torch

    from metrics.clip import DualEncoder
    from metrics.i3d import I3D
    from pipeline.checkpoints import resolve, sha256, weight_hash
    from pipeline.features import Networks, extract

    wanted = params.load().features
    clip_folder = resolve(wanted.clip)
    networks = Networks(
        i3d=I3D.from_pretrained(paths.I3D).to("cuda" if torch.cuda.is_available() else "cpu"),
        clip=DualEncoder(clip_folder, Path(wanted.clip_text_tower)),
        hashes={
            "i3d": sha256(paths.I3D),
            "clip": weight_hash(clip_folder),
            "text_tower": weight_hash(Path(wanted.clip_text_tower)),
        },
    )
    extract(paths.clips(name), networks, wanted.batch, paths.SCRATCH / "features" / name, paths.features(name))


if __name__ == "__main__":
    main()
