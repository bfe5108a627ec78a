"""generate@method: embeddings -> clips, one lossless file each, with a ledger."""

from pipeline.config import params, paths
from pipeline.config.entry import stage


@stage
def main(name: str) -> None:
    from pipeline.clips.generation import generate
    from pipeline.methods.base import Context, build

    wanted = params.load()
    generate(name, build(Context.of(wanted, name)), paths.clips(name), wanted.generate.batch)


if __name__ == "__main__":
    main()
