"""publish@method: a method at full size -> what is measured of its clips and what stands behind it, in
published/methods/<method>/."""

from pipeline.config import params, paths
from pipeline.config.entry import pick, stage


@stage
def main(name: str) -> None:
    from pipeline.published.full_size import run

    wanted = params.load()
    pick("published.methods", dict.fromkeys(wanted.published.methods), name)
    run(wanted, name, paths.SCRATCH / "published" / name, paths.published(name))


if __name__ == "__main__":
    main()
