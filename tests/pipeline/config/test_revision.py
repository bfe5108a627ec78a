"""What git says of the working tree: a commit, and whether the content of any file differs from it."""

import re
import subprocess
from pathlib import Path

import pytest

from pipeline.config.revision import record, revision

MACHINE = "  search@minilm:\n    cmd: x\n    outs:\n    - path: data/search/minilm\n      md5: {md5}\n"
SHIPPED = "  train_codec:\n    cmd: x\n    outs:\n    - path: models/world/codec\n      md5: {md5}\n"


def git(*arguments: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    return subprocess.run(["git", *who, *arguments], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with the project's filter for dvc.lock turned on, which has what is shipped."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    git("config", "filter.shipped.clean", f"awk -f {root / '.dvc/shipped.awk'}")
    for name, text in ((".gitattributes", (root / ".gitattributes").read_text()), ("a", "1\n"), ("kept/b", "1\n")):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)
    Path("dvc.lock").write_text("stages:\n" + SHIPPED.format(md5=1))
    git("add", ".")
    git("commit", "--quiet", "--message", "x")
    return tmp_path


def test_where_there_is_no_repository_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert (revision().commit, revision().changed) == ("", False)


def test_the_commit_is_the_one_that_is_checked_out(repository: Path) -> None:
    assert (revision().commit, revision().changed) == (git("rev-parse", "HEAD"), False)


def test_a_file_of_other_content_and_a_new_one_are_changes(repository: Path) -> None:
    Path("a").write_text("other\n")
    assert revision().changed
    assert not revision(Path("a")).changed
    Path("a").write_text("1\n")
    assert not revision().changed
    Path("kept/new").write_text("")
    assert revision().changed
    assert not revision(Path("kept")).changed


def test_what_this_machine_locked_is_no_change(repository: Path) -> None:
    Path("dvc.lock").write_text("stages:\n" + MACHINE.format(md5=2) + SHIPPED.format(md5=1))
    assert not revision().changed
    git("add", "dvc.lock")  # as `make report` does: no content of it is new, and git learns the size
    assert git("status", "--porcelain") == ""


def test_another_lock_of_what_is_shipped_is_a_change(repository: Path) -> None:
    Path("dvc.lock").write_text("stages:\n" + MACHINE.format(md5=2) + SHIPPED.format(md5=3))
    assert revision().changed


@pytest.mark.parametrize("style", ["merge", "diff3"])
def test_a_conflict_in_the_lock_is_shown_as_it_stands(repository: Path, style: str) -> None:
    """git's diff of it takes nothing away that is there."""
    lock = Path("dvc.lock")
    branch = git("branch", "--show-current")
    for name, ours in (("theirs", 3), (branch, 4)):
        git("checkout", "--quiet", "-B", name)
        lock.write_text("stages:\n" + SHIPPED.format(md5=ours))
        git("commit", "--quiet", "--all", "--message", name)
        git("checkout", "--quiet", "-B", branch, "HEAD~" if name == "theirs" else "HEAD")
    with pytest.raises(subprocess.CalledProcessError):
        git("-c", f"merge.conflictStyle={style}", "merge", "--quiet", "theirs")
    assert "<<<<<<<" in lock.read_text()
    taken = [line for line in git("diff", "HEAD", "--", "dvc.lock").splitlines() if re.match("-(?!--)", line)]
    assert not taken


def test_a_copy_has_the_revision_that_it_was_made_of(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the repository, and ignored: git alone says of it that nothing is changed."""
    Path(".gitignore").write_text("runs\n")
    git("add", ".")
    git("commit", "--quiet", "--message", "y")
    clean, changed = repository / "runs/clean", repository / "runs/changed"
    record(clean)
    Path("a").write_text("other\n")
    Path("kept/näw").write_text("")
    record(changed)
    commit = git("rev-parse", "HEAD")
    git("commit", "--quiet", "--all", "--message", "z")  # after the copies were made
    monkeypatch.chdir(clean)
    assert (revision().commit, revision().changed) == (commit, False)
    monkeypatch.chdir(changed)
    assert (revision().commit, revision().changed) == (commit, True)
    assert revision(Path("a")).changed
    assert not revision(Path("a"), Path("kept")).changed


def test_a_copy_of_what_is_no_repository_has_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    record(tmp_path / "copy")
    monkeypatch.chdir("copy")
    assert (revision().commit, revision().changed) == ("", False)
