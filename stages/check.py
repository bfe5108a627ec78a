"""check: builds every method that params.yaml names, so that no mistake is found after hours of training or sampling.

Its output never changes, so stages that depend on it wait for it and are not run again because of it.
"""

from metrics.progress import say
from pipeline.config import params, paths
from pipeline.config.entry import stage


@stage
def main() -> None:
    from pipeline.commands.check import hub_ids, of_hub, problems

    wanted = params.load()
    if wrong := problems(wanted):
        raise ValueError("\n".join(wrong))
    for name in hub_ids(wanted):
        say(f"check: {of_hub(name)}")
    paths.CHECKED.write_text("every method can be built\n", encoding="utf-8")


if __name__ == "__main__":
    main()
