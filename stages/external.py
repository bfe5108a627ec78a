"""external@name: videos that somebody else made -> clips and a ledger like those of a method."""

from pipeline import params, paths
from pipeline.prompts import read_tables
from pipeline.stage import pick, stage


@stage
def main(name: str) -> None:
    from pipeline.generation import generate
    from pipeline.methods.external import build

    wanted = params.load().generate
    _, mixtures = read_tables(paths.PROMPTS, paths.MIXTURES)
    method = build(pick("generate.external", wanted.external, name), mixtures)
    generate(name, method, paths.clips(name), wanted.batch)


if __name__ == "__main__":
    main()
