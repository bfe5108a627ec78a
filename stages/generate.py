"""generate@model: embeddings -> clips of all methods of a model, one lossless file each, with a ledger per method."""

from pipeline.config import params, paths
from pipeline.config.entry import choose_device, pick, stage


@stage
def main(model: str) -> None:
    wanted = params.load()
    asked = wanted.generate
    own = pick("generate.models", asked.models, model)
    choose_device(own.device)  # before torch is imported
    from pipeline.clips.generation import generate_all
    from pipeline.clips.memory import InHalves, Room
    from pipeline.clips.superseded import Superseded, set_aside_unknown
    from pipeline.methods.base import build
    from pipeline.methods.context import Context, Inputs

    inputs, superseded = Inputs(), Superseded(paths.SUPERSEDED)
    room = Room(model)
    methods = {name: InHalves(build(Context.of(wanted, name, inputs)), room) for name in asked.of_model(model)}
    paths.clips_of(model).mkdir(parents=True, exist_ok=True)  # DVC wants it, also for a model without methods
    set_aside_unknown(paths.CLIPS, {asked.folder(name) for name in asked.everything}, superseded)
    generate_all(methods, asked.folder, superseded, own.batch or asked.batch, asked.workers)


if __name__ == "__main__":
    main()
