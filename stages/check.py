"""check: builds every method that params.yaml names, so that no mistake is found after hours of training or sampling.

Its output never changes, so stages that depend on it wait for it and are not run again because of it.
"""

from pipeline.config import params, paths
from pipeline.config.entry import stage


@stage
def main() -> None:
    from pipeline.commands.check import problems

    if wrong := problems(params.load()):
        raise ValueError("\n".join(wrong))
    paths.CHECKED.write_text("every method can be built\n", encoding="utf-8")


if __name__ == "__main__":
    main()
