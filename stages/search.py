"""search@encoder: embeddings of the mixtures -> similarity curves, optimal steps and embeddings, for every k."""

from pipeline.config import params, paths
from pipeline.config.entry import pick, stage
from pipeline.prompts.tables import read_tables


@stage
def main(name: str) -> None:
    from pipeline.richspace.search import first_guides, search_mixture, write_searches
    from pipeline.text.embeddings import Embeddings

    wanted = params.load()
    _, mixtures = read_tables(paths.PROMPTS, paths.MIXTURES)
    guides = first_guides(mixtures)
    searches = []
    for set_name in pick("embed.encoders", wanted.embed.encoders, name).sets:
        embeddings = Embeddings.read(paths.embeddings(name) / f"{set_name}.safetensors")
        for mixture in (m for m in mixtures if m.set == set_name):
            for k in wanted.search.k:
                searches.append(search_mixture(mixture, embeddings, k, guides.get(mixture.id)))
    write_searches(searches, paths.search(name))


if __name__ == "__main__":
    main()
