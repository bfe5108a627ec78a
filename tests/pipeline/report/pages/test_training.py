from pathlib import Path

from tests.pipeline.report.reading import Reader, words


def test_every_trained_model_has_its_curve_and_last_validation(report: Path) -> None:
    page = Reader(report / "training.html")
    assert "The models of the toy world. Their weights come with the repository;" in words(page)
    assert "40 steps; psnr db 30" in words(page)
    assert page.plots["training-codec"]["data"][0]["y"] == [1.0, 0.5]
