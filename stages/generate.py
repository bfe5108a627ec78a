"""generate@model: embeddings -> clips of all methods of a model, one lossless file each, with a ledger per method."""

from pipeline.config import params, paths
from pipeline.config.entry import pick, stage


@stage
def main(model: str) -> None:
    from pipeline.clips.generation import generate_all
    from pipeline.methods.base import build
    from pipeline.methods.context import Context, Inputs

    wanted, inputs = params.load(), Inputs()
    asked = wanted.generate
    pick("generate.models", asked.models, model)
    methods = {name: build(Context.of(wanted, name, inputs)) for name in asked.of_model(model)}
    paths.clips_of(model).mkdir(parents=True, exist_ok=True)  # DVC wants it, also for a model without methods
    generate_all(methods, asked.folder, asked.batch, asked.workers)


if __name__ == "__main__":
    main()
