"""generate@method: embeddings -> clips, one lossless file each, with a ledger."""

from pipeline import params, paths
from pipeline.stage import stage


@stage
def main(name: str) -> None:
    from pipeline.generation import generate
    from pipeline.methods.base import Context, build

    wanted = params.load()
    generate(name, build(Context.of(wanted, name)), paths.clips(name), wanted.generate.batch)


if __name__ == "__main__":
    main()
