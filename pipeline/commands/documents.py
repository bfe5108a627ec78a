"""The commands that the documents tell a reader to type, as they stand there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("make", "reelbench", "dvc", "python", "mlflow", "accelerate", "pip", "export", "git", "cd", "(cd")
# How those begin that need a run: `make smoke` follows them in its scratch copy, in this order.
OF_A_RUN = (
    "dvc metrics show data/summary/methods",
    "dvc metrics show data/summary/trainings",
    "dvc plots show",
    "reelbench compare data/clips/world/richspace data/clips/world/cogvideox",
    "reelbench superseded",
)
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(rf"`((?:{'|'.join(map(re.escape, PROGRAMS))})\s[^`]+)`")
_COMMENT = re.compile(r"\s+# .*$")


@dataclass(frozen=True)
class Command:
    """document: its path below the repository. text: in one line, without the comment behind it. inline: whether it
    stands in a sentence, and in no code block."""

    document: str
    text: str
    inline: bool


def documents(root: Path) -> list[Path]:
    """README, CONTRIBUTING and docs/*.md."""
    return [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").glob("*.md"))]


def commands(root: Path) -> list[Command]:
    """Every command of the documents: lines of code blocks without a language, and commands with arguments in text."""
    return [command for path in documents(root) for command in _of(str(path.relative_to(root)), path.read_text())]


def written(root: Path, beginning: str) -> str:
    """The command of the documents that is this text, or the only one that goes on from it.

    Raises:
        ValueError: if there is none, or several.
    """
    texts = list(dict.fromkeys(command.text for command in commands(root)))
    found = [text for text in texts if text == beginning] or [text for text in texts if text.startswith(beginning)]
    if len(found) != 1:
        raise ValueError(f"{len(found)} commands of the documents begin with {beginning!r}, expected 1")
    return found[0]


def _of(name: str, document: str) -> Iterator[Command]:
    for language, block in _FENCED.findall(document):
        if not language:
            yield from (Command(name, text, inline=False) for text in _lines(block))
    for text in _INLINE.findall(_FENCED.sub("", document)):
        yield Command(name, " ".join(text.split()), inline=True)


def _lines(block: str) -> Iterator[str]:
    """The commands of a code block. In one with prompts (`$ `) the other lines are what the commands print."""
    joined = re.sub(r" \\\n *|\n {4,}", " ", block)  # a command that goes on in the next line
    lines = [_COMMENT.sub("", line) for line in joined.splitlines()]
    prompted = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    yield from (line for line in prompted or lines if line.split(" ")[0] in PROGRAMS)
