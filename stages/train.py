"""train_model: the world, rendered on the fly from a seed -> models/world/<model>/.

Also `accelerate launch -m stages.train <model>`, where a batch is more than one GPU can hold.
"""

from contextlib import AbstractContextManager, nullcontext

from pipeline.config import params, paths
from pipeline.config.entry import pick, stage


@stage
def main(name: str) -> None:
    from pipeline.tracking.store import live_run
    from pipeline.training.loop import Reporter, processes, silent
    from pipeline.training.run import run

    everything = params.load()
    wanted = pick("train", everything.train, name)
    described = {"spec": wanted.spec.model_dump(), "schedule": wanted.schedule.model_dump()}

    def reporting() -> "AbstractContextManager[Reporter]":
        return live_run(name, described) if processes().is_main_process else nullcontext(silent)

    run(name, wanted, everything.embed, paths.world_model(name), paths.SCRATCH / "checkpoints", reporting)


if __name__ == "__main__":
    main()
