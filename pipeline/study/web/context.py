"""What every page needs: the store, the plan of new raters, and the clips."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.study import plan
from pipeline.study.clips import Material
from pipeline.study.design import Study
from pipeline.study.media import files_of
from pipeline.study.plan import Item, Trial
from pipeline.study.store import Store


@dataclass(frozen=True)
class Served:
    """A study that is served. key: of its tokens; files: of each (item, method), in the folder `media`; pixelated:
    whether single pixels were enlarged."""

    store: Store
    study: Study
    key: str
    items: Sequence[Item]
    files: dict[tuple[str, str], str]
    media: Path
    pixelated: bool

    def planned(self, number: int) -> list[tuple[Trial, list[str]]]:
        """The trials of a new rater and their files."""
        made = plan.trials(self.study, self.items, number)
        return [(trial, files_of(self.files, trial.item.id, trial.shown)) for trial in made]

    @property
    def ended(self) -> bool:
        """Whether the study has ended."""
        return self.store.recorded().ended is not None


def serving(
    store: Store, material: Material, files: dict[tuple[str, str], str], media: Path, pixelated: bool
) -> Served:
    """A recorded study with its clips."""
    recorded = store.recorded()
    return Served(store, recorded.study, recorded.key, material.items, files, media, pixelated)
