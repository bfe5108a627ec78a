"""What a run says about methods that votes were given to; a table of votes alone has no run."""

from collections.abc import Mapping

import pandas as pd

from pipeline.report.metric_tables import not_compared
from pipeline.report.results import Results


def caveats(results: Results | None, methods: pd.DataFrame) -> list[str]:
    """Why some of the methods are not to be compared. The baseline of HARIVO's ablation may be: with others."""
    if results is None:
        return []
    baseline = list(results.params.harivo.ablation.values())[:1]
    return not_compared(results, methods[~methods.method.isin(baseline)])


def variants(results: Results | None) -> Mapping[str, str]:
    """The rows of HARIVO's ablation by their methods."""
    ablation = results.params.harivo.ablation if results else {}
    return {method: variant for variant, method in ablation.items()}
