"""generate@method: embeddings -> clips, one lossless file each, with a ledger."""

from pipeline import params, paths
from pipeline.stage import pick, stage


@stage
def main(name: str) -> None:
    from pipeline.generation import generate
    from pipeline.methods.base import Context, build

    wanted = params.load()
    context = Context(
        name, pick("generate.methods", wanted.generate.methods, name), wanted.generate, wanted.search.default_k
    )
    generate(name, build(context), paths.clips(name), wanted.generate.batch)


if __name__ == "__main__":
    main()
