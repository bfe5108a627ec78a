"""cascade_parts: ↑F and SR_h of Make-A-Video alone, against true clips and simple ways -> four tables."""

from pipeline.config import params, paths
from pipeline.config.entry import stage
from pipeline.config.folders import replaced


@stage
def main() -> None:
    import pandas as pd

    from pipeline.sweeps.cascade_parts import consistency, passed_on, told
    from pipeline.sweeps.new_frames import extrapolation, interpolation

    wanted = params.load()
    with replaced(paths.CASCADE_PARTS) as folder:
        if wanted.make_a_video.parts is None:
            return
        interpolation(wanted).to_csv(folder / paths.INTERPOLATION.name, index=False, float_format="%.6g")
        extrapolation(wanted).to_csv(folder / paths.EXTRAPOLATION.name, index=False, float_format="%.6g")
        both = pd.concat([passed_on(wanted), told(wanted)], ignore_index=True)
        both.to_csv(folder / paths.PASSED_ON.name, index=False, float_format="%.6g")
        consistency(wanted).to_csv(folder / paths.CONSISTENCY.name, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
