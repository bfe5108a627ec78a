"""prompts: prompts/* and a user's MSR-VTT -> one validated table of prompts and one of mixtures."""

from pipeline.config import params, paths
from pipeline.config.entry import stage
from pipeline.prompts.msrvtt import read_msrvtt
from pipeline.prompts.sets import read_sets
from pipeline.prompts.tables import write_tables


@stage
def main() -> None:
    wanted = params.load().prompts
    prompts, mixtures = read_sets(paths.PROMPT_SETS, wanted.sets)
    if wanted.msrvtt.path:
        prompts += read_msrvtt(wanted.msrvtt.path, wanted.msrvtt.captions, wanted.msrvtt.seed)
    write_tables(prompts, mixtures, paths.PROMPTS, paths.MIXTURES)


if __name__ == "__main__":
    main()
