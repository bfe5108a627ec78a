"""features: all methods' clips, and real ones, decoded once -> I3D features, per-clip metrics and measurements."""

from pipeline.config import params, paths
from pipeline.config.entry import stage


@stage
def main() -> None:
    from pipeline.evaluation import real
    from pipeline.evaluation.features import extract
    from pipeline.evaluation.measuring import measurer

    wanted = params.load()
    clips = {name: wanted.generate.folder(name) for name in wanted.generate.evaluated}
    networks = measurer(wanted.features)
    extract(clips, networks, paths.FEATURES)
    if wanted.evaluate.place:
        real.measure(wanted.evaluate.place, networks, paths.FEATURES / real.FOLDER)


if __name__ == "__main__":
    main()
