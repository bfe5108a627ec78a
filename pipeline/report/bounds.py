"""RichSpace's Theorem A.6 in numbers, as a table."""

from pipeline.report.formatting import fixed
from pipeline.report.results import Results
from pipeline.report.table import Column, Table, row

_DIMENSION = (
    "ε of Theorem A.4 is M · (1 - (m/M)^d)^(1/d) · V^(-n/d): with far more numbers in a clip than words in a sentence, "
    "it is all but M. Then it speaks of nearly every point of the shell, noise as well, not of videos that anyone asks "
    "for; and interpolation between sentences, which only adds points, hardly moves it."
)
_TRIED = "M, m and L are of the clips that were made: of all sentences, M and L are at least that, m at most."


def tables(results: Results) -> list[Table]:
    """The quantities of the theorem and its bounds; none where they were not measured."""
    if results.bounds is None or not len(results.bounds):
        return []
    own = results.bounds.iloc[0]
    rows = [
        row("words V, places n", f"{own.vocabulary:,} words, {own.length} places"),
        row("sentences V^n", f"e^{fixed(own.log_sentences, 1)}"),
        row("δ_min, smallest distance of two words", f"{fixed(own.minimum_distance, 4)} ({own.word_a}, {own.word_b})"),
        row("numbers of a clip d, in [0, 1]", f"{own.dimension:,}"),
        row("M and m, largest and smallest norm of a clip", f"{fixed(own.largest, 2)}, {fixed(own.smallest, 2)}"),
        row("L, of Definition A.5", fixed(own.lipschitz, 2)),
        row("ε of Theorem A.4 (4.1): any model", fixed(own.covering, 2)),
        row(f"the same with {own.steps} interpolations of every pair of sentences", fixed(own.interpolated, 2)),
        row("δ_min / (2L), of Theorem A.6: a bi-Lipschitz model", fixed(own.separation, 4)),
        row("beside them: mean distance of two clips", fixed(own.typical, 2)),
        row("mean distance of a clip from the nearest other", fixed(own.nearest, 2)),
    ]
    about = f"Encoder {own.encoder}; {own.prompts} prompts of {own.method}, one clip each, all from one noise."
    columns = [Column("Quantity", numeric=False), Column("Value")]
    caption = "Theorem A.6: how far some video is from every sentence's"
    return [Table("richspace_bounds", caption, columns, rows, results.bounds, [about, _TRIED, _DIMENSION])]
