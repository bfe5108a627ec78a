"""The section `study` of params.yaml: whose votes are analysed, and how raters are simulated where there are none."""

from pathlib import Path

from pydantic import Field, field_validator

from pipeline.config.section import Above, Count, Section, Share, Weight

SUFFIXES = (".csv", ".parquet")


class Simulated(Section):
    """Raters that `pipeline.study.simulated` makes up. designs: files of studies. noise: scale of what each vote adds
    to utilities in [0, 1]; taste, lenience: how far raters differ; undecided: "cannot tell" below this difference;
    careless: the share of raters who answer at random; lapses: of the answers of all others; seed: of all of it."""

    designs: list[Path] = Field(default_factory=list)
    noise: Above
    taste: Weight
    lenience: Weight
    undecided: Weight
    careless: Share
    lapses: Share
    seed: Count


class UserStudy(Section):
    """`votes`: files of votes (`reelbench study export`); they replace all simulated ones. `most_failed`: raters who
    failed more than this share of their attention checks are left out. `simulated`: raters where there are no
    votes. Intervals are those of `evaluate`."""

    votes: list[Path] = Field(default_factory=list)
    most_failed: Share
    simulated: Simulated

    @field_validator("votes")
    @classmethod
    def _are_there(cls, votes: list[Path]) -> list[Path]:
        for file in votes:
            if not file.is_file() or file.suffix not in SUFFIXES:
                raise ValueError(
                    f"found {str(file)!r}, expected a file that is there and ends in {', '.join(SUFFIXES)}"
                )
        return votes
