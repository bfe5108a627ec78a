"""Clips of the same prompts and noise by several methods, side by side."""

from collections.abc import Sequence

from pipeline.clips import ledger
from pipeline.report.results import Results
from pipeline.report.strips import Card, Shot

_CARDS = 6  # prompts whose clips are shown


def cards(results: Results, methods: Sequence[str]) -> list[Card]:
    """Clips of the same prompt and noise by those methods that made them: the first prompts of the first method."""
    generate = results.params.generate
    ledgers = {name: ledger.read(generate.folder(name)) for name in methods if name in generate.methods}
    made = {name: entries for name, entries in ledgers.items() if entries}
    if len(made) < 2:
        return []
    clips = list(next(iter(made.values())))[:_CARDS]
    return [
        Card(
            next(iter(made.values()))[clip].prompt,
            [_shot(results, name, entries[clip]) for name, entries in made.items() if clip in entries],
        )
        for clip in clips
    ]


def _shot(results: Results, method: str, entry: ledger.Entry) -> Shot:
    generate = results.params.generate
    fps = generate.models[generate.methods[method].model].fps
    return Shot(method.replace("_", " "), method, generate.folder(method) / entry.file, fps)
