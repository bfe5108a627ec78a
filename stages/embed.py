"""embed@encoder: prompts -> token embeddings and token counts."""

from pipeline.config import params, paths
from pipeline.config.entry import choose_device, pick, stage
from pipeline.prompts.tables import read_tables


@stage
def main(name: str) -> None:
    wanted = pick("embed.encoders", params.load().embed.encoders, name)
    choose_device(wanted.device)  # before torch is imported
    from pipeline.text.embeddings import embed_set
    from pipeline.text.encoders import TextEncoder

    prompts, _ = read_tables(paths.PROMPTS, paths.MIXTURES)
    encoder = TextEncoder(wanted.kind, wanted.checkpoint)
    for set_name, embedded in wanted.sets.items():
        own = [prompt for prompt in prompts.values() if prompt.set == set_name]
        embed_set(encoder, own, embedded, paths.embeddings(name) / f"{set_name}.safetensors")


if __name__ == "__main__":
    main()
