"""external@name: videos that somebody else made -> clips and a ledger like those of a method."""

from pipeline.config import params, paths
from pipeline.config.entry import pick, stage
from pipeline.prompts.tables import read_tables


@stage
def main(name: str) -> None:
    from pipeline.clips.external import build
    from pipeline.clips.generation import generate_all
    from pipeline.clips.superseded import Superseded

    wanted = params.load().generate
    _, mixtures = read_tables(paths.PROMPTS, paths.MIXTURES)
    method = build(pick("generate.external", wanted.external, name), mixtures)
    generate_all({name: method}, wanted.folder, Superseded(paths.SUPERSEDED), wanted.batch)


if __name__ == "__main__":
    main()
