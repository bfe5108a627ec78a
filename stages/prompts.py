"""prompts: prompts/* and a user's MSR-VTT -> one validated table of prompts and one of mixtures."""

from pipeline import params, paths
from pipeline.prompts import read_msrvtt, read_sets, write_tables
from pipeline.stage import stage


@stage
def main() -> None:
    wanted = params.load().prompts
    prompts, mixtures = read_sets(paths.PROMPT_SETS, wanted.sets)
    if wanted.msrvtt.path:
        prompts += read_msrvtt(wanted.msrvtt.path, wanted.msrvtt.captions, wanted.msrvtt.seed)
    write_tables(prompts, mixtures, paths.PROMPTS, paths.MIXTURES)


if __name__ == "__main__":
    main()
