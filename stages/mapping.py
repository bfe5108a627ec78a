"""mapping: HARIVO's Figure A1, what the mapping network does to the latents over the timesteps."""

from pipeline.config import params, paths
from pipeline.config.entry import stage

VIDEOS = 8  # that the statistics are over


@stage
def main() -> None:
    from pipeline.harivo.mapping_effect import mapping_effect
    from pipeline.methods.base import build
    from pipeline.methods.context import Context

    method = build(Context.of(params.load(), "harivo"))
    method.prepare()
    unet, jobs = method.sampler.model.unet, method.jobs()[:VIDEOS]
    table = mapping_effect(unet, lambda: method.generate(jobs))
    paths.MAPPING_EFFECT.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(paths.MAPPING_EFFECT, index=False)


if __name__ == "__main__":
    main()
