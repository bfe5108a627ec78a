"""What the run's judge and metrics say of single clips: simulated raters go by it, votes are compared with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.config import paths
from pipeline.evaluation.catalogue import AVERAGE, METRICS, ROUGHNESS, SUCCESS_RATE
from pipeline.prompts.tables import read_tables
from pipeline.study.design import Study, StudyError
from pipeline.study.mixtures import caption, two_parts
from pipeline.study.plan import Item
from pipeline.world.attributes import ATTRIBUTES

JUDGED = ("present_a", "present_b", "one_object")  # of a mixture's clip, as the design's questions ask
_KEY = ["method", "clip"]
_TABLE = "clips.csv"  # of a method's features: what was measured of each clip


@dataclass(frozen=True)
class Judged:
    """What the judge found. prompts, mixtures: a row for each clip (method, clip, prompt, and findings in {0, 1}).
    captions: of prompts and mixtures, by id. parts: texts of both parts of a mixture; those of three are left out,
    because raters are asked about two."""

    prompts: pd.DataFrame
    mixtures: pd.DataFrame
    captions: Mapping[str, str]
    parts: Mapping[str, tuple[str, str]]

    @classmethod
    def read(cls) -> "Judged":
        """Read what the stages prompts and evaluate wrote.

        Raises:
            FileNotFoundError: if they have not run.
        """
        text = {"method": str, "clip": str}
        attributes = pd.read_csv(paths.RESULTS / "attributes.csv", dtype=text).rename(columns={"prompt_id": "prompt"})
        verdicts = pd.read_csv(paths.RESULTS / "verdicts.csv", dtype=text).rename(columns={"mixture": "prompt"})
        shows = {name: verdicts.get(name, pd.Series(dtype=float)) for name in JUDGED[:2]}
        verdicts = verdicts.assign(**shows, one_object=verdicts.shared & verdicts.one_object)
        prompts, mixtures = read_tables(paths.PROMPTS, paths.MIXTURES)
        parts = two_parts(prompts, mixtures)
        captions = {name: prompt.text for name, prompt in prompts.items()}
        captions |= {name: caption(both) for name, both in parts.items()}
        verdicts = verdicts[verdicts.prompt.isin(list(parts))]
        return cls(
            attributes[[*_KEY, "prompt", *ATTRIBUTES]].astype(dict.fromkeys(ATTRIBUTES, float)),
            verdicts[[*_KEY, "prompt", *JUDGED]].astype(dict.fromkeys(JUDGED, float)),
            captions,
            parts,
        )

    def of(self, study: Study) -> tuple[list[Item], dict[tuple[str, str], dict[str, float]]]:
        """What a study would show of this run, and what the judge found of it.

        Raises:
            StudyError: if one of its methods has no clips that the judge looked at, or none in common with the others.
        """
        table = self._table(study)
        own = table[table.method.isin(study.methods)].drop_duplicates(_KEY)
        counts = own["clip"].value_counts()
        shared = own[own["clip"].isin(counts[counts == len(study.methods)].index)]
        ids = list(dict.fromkeys(shared.prompt))[: study.clips.prompts]
        shared = shared[shared.prompt.isin(ids)]
        if not len(shared):
            raise StudyError(f"{study.name}: {', '.join(study.methods)} have no judged clip in common")
        first = shared[shared.method == study.methods[0]]
        items = [
            Item(clip, prompt, self.captions.get(prompt, prompt), self.parts.get(prompt))
            for clip, prompt in zip(first["clip"], first.prompt, strict=True)
        ]
        findings = shared.set_index(_KEY).drop(columns="prompt")
        return items, {key: dict(row) for key, row in findings.iterrows()}

    def _table(self, study: Study) -> pd.DataFrame:
        """The one that has all methods of the study."""
        tables = [self.mixtures] if study.design == "mixture" else [self.prompts, self.mixtures]
        missing = [[name for name in study.methods if name not in set(table.method)] for table in tables]
        for table, lacking in zip(tables, missing, strict=True):
            if not lacking:
                return table
        of = "mixtures" if study.design == "mixture" else "prompts"
        raise StudyError(f"{study.name}: this run has no clips of {of}, with the judge's verdict, by {missing[0][0]}")


def values(methods: Sequence[str], metrics: Sequence[str]) -> tuple[pd.DataFrame, dict[str, bool]]:
    """What metrics say of each clip: columns method, clip, and one for each metric that is there; and whether its
    higher values are better.

    Args:
        methods: whose clips. metrics: names of `evaluate.metrics`; distances between sets say nothing of one clip.
    """
    wanted = [*metrics, ROUGHNESS.name]
    tables = [_of_method(name, wanted) for name in methods if (paths.features(name) / _TABLE).is_file()]
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_KEY)
    for name, file, column in ((AVERAGE.name, "attributes", "average"), (SUCCESS_RATE.name, "verdicts", "success")):
        if not (path := paths.RESULTS / f"{file}.csv").is_file():
            continue
        judged = pd.read_csv(path, dtype={"method": str, "clip": str})
        table = table.merge(judged[[*_KEY, column]].rename(columns={column: name}), on=_KEY, how="left")
    found = [name for name in METRICS if name in table and pd.to_numeric(table[name]).notna().any()]
    return table, {name: bool(METRICS[name].higher_is_better) for name in found}


def _of_method(method: str, metrics: Sequence[str]) -> pd.DataFrame:
    table = pd.read_csv(paths.features(method) / _TABLE, dtype={"clip": str}, keep_default_na=False)
    known = {name: pd.to_numeric(table[name], errors="coerce") for name in metrics if name in table}
    return pd.DataFrame({"method": method, "clip": table["clip"], **known})
