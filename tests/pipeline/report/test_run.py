from pathlib import Path

from pipeline.report.results import Results
from pipeline.report.run import caption, made


def test_what_was_made_is_counted(results: Results) -> None:
    strip = next(one for one in made(results.params) if one.name == "strip")
    assert (strip.requested, strip.failed, strip.seconds, strip.checkpoint) == (10, 1, 5.0, "a folder")
    assert strip.weights == "w" * 12


def test_a_method_without_clips_is_left_out(results: Results) -> None:
    generate = results.params.generate
    methods = generate.methods | {"new": generate.methods["harivo"]}
    wanted = results.params.model_copy(update={"generate": generate.model_copy(update={"methods": methods})})
    names = [one.name for one in made(wanted)]
    assert names == list(generate.methods)


def test_a_caption_is_a_files_first_sentence(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text('"""m: any model\non `guides` (Section 3). More."""\n')
    assert caption(tmp_path / "m.py") == "any model on guides (Section 3)."
