"""mapping: HARIVO's Figure A1, what the mapping network does to the latents over the timesteps, and Figure 6b, where
the frame-wise tokens are attended to."""

import pandas as pd

from pipeline.config import params, paths
from pipeline.config.entry import pick, stage

METHOD, VIDEOS = "harivo", 8  # whose network, and how many videos the statistics are over


@stage
def main() -> None:
    from pipeline.harivo.mapping_effect import mapping_effect
    from pipeline.harivo.token_attention import token_attention
    from pipeline.methods.base import build
    from pipeline.methods.context import Context

    wanted = params.load()
    pick("generate.methods", wanted.generate.methods, METHOD)
    method = build(Context.of(wanted, METHOD))
    method.prepare()
    unet, jobs = method.sampler.model.unet, method.jobs()[:VIDEOS]
    attended: list[pd.DataFrame] = []
    effect = mapping_effect(unet, lambda: attended.append(token_attention(unet, lambda: method.generate(jobs))))
    paths.MAPPING_EFFECT.parent.mkdir(parents=True, exist_ok=True)
    effect.to_csv(paths.MAPPING_EFFECT, index=False)
    attended[0].to_csv(paths.TOKEN_ATTENTION, index=False)


if __name__ == "__main__":
    main()
