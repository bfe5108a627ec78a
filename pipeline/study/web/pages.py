"""Pages from templates; every value is escaped."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from metrics.user_study.votes import NO, TIE, YES
from pipeline.study.design import Study
from pipeline.study.questions import SIDE_BY_SIDE
from pipeline.study.records import Page, Person

_FOLDER = Path(__file__).parent
STATIC = _FOLDER / "static"
_PAGES = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_WORDS = {TIE: "I cannot tell", YES: "Yes", NO: "No"}
_ENDS = {"1": "very bad", "5": "very good"}


@dataclass(frozen=True)
class Choice:
    """An answer as a page offers it: what is sent, what is read, the number key that chooses it, and a note."""

    value: str
    label: str
    key: str
    note: str = ""


def page(name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of a template."""
    return HTMLResponse(_PAGES.get_template(f"{name}.html.j2").render(**values), status)


def message(title: str, text: str, status: int = 200, onward: str = "") -> HTMLResponse:
    """A page that says one thing. onward: where its link leads, if it has one."""
    return page("message", status, title=title, text=text, onward=onward)


def choices(study: Study) -> list[Choice]:
    """What may be answered to each question of a trial; "cannot tell" is on the key 0."""
    return [_choice(study, place, value) for place, value in enumerate(study.answers, 1)]


def _choice(study: Study, place: int, value: str) -> Choice:
    if value == TIE:
        return Choice(value, _WORDS[TIE], "0")
    if study.design in SIDE_BY_SIDE:
        return Choice(value, f"Video {value}", value)
    if study.design == "rating":
        return Choice(value, value, value, _ENDS.get(value, ""))
    return Choice(value, _WORDS[value], str(place))


def trial(
    study: Study,
    person: Person,
    shown: Page,
    form_token: str,
    link: str,
    pixelated: bool,
    remark: str = "",
    status: int = 200,
) -> HTMLResponse:
    """The page of a trial. remark: what is said above it."""
    number = shown.trial.number
    values = {"study": study, "trial": shown.trial, "clips": shown.clips, "answers": shown.answers, "link": link}
    values |= {"questions": _asked(study, shown), "choices": choices(study), "revision": shown.revision}
    values |= {"number": number, "trials": person.trials, "token": form_token, "remark": remark}
    values |= {"back": number > 1 and number == person.current, "again": number < person.current}
    return page("trial", status, **values, pixelated=pixelated)


def _asked(study: Study, shown: Page) -> dict[str, str]:
    a, b = shown.trial.item.parts or ("", "")
    return {key: text.replace("{a}", a).replace("{b}", b) for key, text in study.asked.items()}


def is_secure(request: Request) -> bool:
    """Whether the browser speaks TLS, to us or to a proxy before us."""
    return request.url.scheme == "https"
