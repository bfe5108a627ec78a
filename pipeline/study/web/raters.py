"""Pages of raters. Their address holds a secret, so there are no passwords and no cookies."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import FileResponse, RedirectResponse, Response

from pipeline.study.records import Outcome, Person
from pipeline.study.web import pages
from pipeline.study.web.context import Served
from pipeline.study.web.security import check_form, clip_id, form, token

_MOST_YEARS = 80
_LONGEST_LINK = 100
_EPOCH = "Thu, 01 Jan 1970 00:00:00 GMT"  # the time of a file would say in which order clips were made
_CHANGED = (
    "You have answered this one already, in another window. These are the answers that we have; change them here if "
    "you want to."
)
_REFUSED = {
    Outcome.CLOSED: "it is not this trial's turn. The page may have stood open in another window; one can only go back "
    "by one trial.",
    Outcome.DONE: "you have said that you are done.",
    Outcome.ENDED: "the study has ended.",
}
Form = Annotated[dict[str, str], Depends(form)]


def routes(served: Served) -> APIRouter:
    """The pages of a study's raters."""
    router, raters = APIRouter(), _Raters(served)
    router.get("/")(raters.front)
    router.post("/join")(raters.join)
    router.get("/r/{link}")(raters.welcome)
    router.post("/r/{link}")(raters.begin)
    router.get("/r/{link}/end")(raters.last)
    router.post("/r/{link}/end")(raters.finish)
    router.get("/r/{link}/{number}")(raters.trial)
    router.post("/r/{link}/{number}")(raters.vote)
    router.get("/clips/{name}")(raters.clip)
    return router


class _Raters:
    def __init__(self, served: Served) -> None:
        self._served, self._store, self._study = served, served.store, served.study

    def front(self) -> Response:
        """What stands at the study's address: a form to join, where anybody may."""
        if self._served.ended:
            return _ended()
        if self._study.enrolment != "open":
            return pages.message(
                self._study.title, "This study is by invitation. Please use the link that you were sent."
            )
        link = secrets.token_urlsafe(32)  # in the form, so that sending it twice makes one rater
        return pages.page("join", study=self._study, link=link, token=token(self._served.key, "join", link))

    def join(self, given: Form) -> Response:
        """Make a rater, and lead them to their own page."""
        link = given.get("link", "")
        check_form(given, self._served.key, "join", link)
        if self._study.enrolment != "open" or self._served.ended:
            raise HTTPException(403, "Nobody can join this study now.")
        self._store.join(link)
        return _go(f"/r/{link}")

    def welcome(self, link: str) -> Response:
        """Consent and background; later, the trial where the rater was."""
        person = self._person(link)
        if self._served.ended:
            return _ended()
        return self._consent(person, link) if not person.agreed else _go(_place(person, link))

    def begin(self, link: str, given: Form) -> Response:
        """Take the consent and the background."""
        person = self._person(link, given)
        if self._served.ended:
            return _ended()
        if person.agreed:
            return _go(_place(person, link))
        if remark := self._missing(given):
            return self._consent(person, link, remark, 422)
        asked = self._study.background
        profession, years = given.get("profession"), given.get("years", "").strip()
        told = (profession if asked.professions else None, int(years) if asked.years and years else None)
        self._store.begin(person.id, *told, self._served.planned)
        return _go(f"/r/{link}/1")

    def trial(self, link: str, number: str) -> Response:
        """A trial: the first without an answer, or the one before."""
        person = self._person(link)
        shown = self._number(person, number)
        if self._served.ended:
            return _ended()
        if person.finished or person.current - shown not in (0, 1):
            return _go(_place(person, link))
        return self._trial(person, link, shown)

    def vote(self, link: str, number: str, given: Form) -> Response:
        """Store the answers, then lead to the next trial."""
        person = self._person(link, given)
        shown = self._number(person, number)
        outcome = self._store.vote(person.id, shown, self._answers(given), _revision(given))
        if outcome is Outcome.ANOTHER:
            return self._trial(self._person(link), link, shown, _CHANGED, 409)
        if outcome is not Outcome.KEPT:
            text = f"The reason: {_REFUSED[outcome]} What you answered before is kept as it was."
            return pages.message("This answer was not stored", text, 409, onward=f"/r/{link}")
        return _ended() if self._served.ended else _go(_place(self._person(link), link, shown + 1))

    def last(self, link: str) -> Response:
        """After the last trial: a way back to it, until the rater says that they are done."""
        person = self._person(link)
        if self._served.ended and not person.finished:
            return _ended()
        if not person.agreed or person.current <= person.trials:
            return _go(_place(person, link))
        values = {"study": self._study, "link": link, "trials": person.trials, "token": self._token(person)}
        return pages.page("thanks" if person.finished else "end", **values)

    def finish(self, link: str, given: Form) -> Response:
        """The rater is done."""
        self._store.finish(self._person(link, given).id)
        return _go(f"/r/{link}/end")

    def clip(self, name: str) -> Response:
        """A clip of a trial by its random id; a browser may ask for a part of it."""
        file = self._store.file(clip_id(name))
        if file is None:
            raise HTTPException(404)
        named = {"etag": f'"{Path(name).stem}"', "last-modified": _EPOCH, "cache-control": "private, max-age=86400"}
        return FileResponse(self._served.media / file, media_type="video/mp4", headers=named)

    def _person(self, link: str, given: Mapping[str, str] | None = None) -> Person:
        """The rater of a link; with a form, one that their own page made."""
        person = self._store.person(link) if len(link) <= _LONGEST_LINK else None
        if person is None:
            raise HTTPException(404)
        if given is not None:
            check_form(given, self._served.key, "rater", person.id)
        return person

    def _number(self, person: Person, number: str) -> int:
        if not (number.isascii() and number.isdecimal() and len(number) < 6 and 1 <= int(number) <= person.trials):
            raise HTTPException(404)
        return int(number)

    def _token(self, person: Person) -> str:
        return token(self._served.key, "rater", person.id)

    def _consent(self, person: Person, link: str, remark: str = "", status: int = 200) -> Response:
        values = {"study": self._study, "link": link, "token": self._token(person), "remark": remark}
        return pages.page("welcome", status, **values, most_years=_MOST_YEARS)

    def _trial(self, person: Person, link: str, number: int, remark: str = "", status: int = 200) -> Response:
        shown = self._store.show(person.id, number)
        if shown is None:
            raise HTTPException(404)
        drawn = self._served.pixelated
        return pages.trial(self._study, person, shown, self._token(person), link, drawn, remark, status)

    def _answers(self, given: Mapping[str, str]) -> dict[str, str]:
        """The answers to all questions.

        Raises:
            HTTPException: 422 if one is missing, none that was offered, or to another question.
        """
        answers = {key[2:]: value for key, value in given.items() if key.startswith("q.")}
        if missing := [key for key in self._study.asked if key not in answers]:
            raise HTTPException(
                422, f"There is no answer to “{self._study.asked[missing[0]]}”. Please go back and choose one."
            )
        if answers.keys() != self._study.asked.keys() or not set(answers.values()) <= set(self._study.answers):
            raise HTTPException(422, "That is not one of the answers. Please go back and choose one.")
        return answers

    def _missing(self, given: Mapping[str, str]) -> str:
        """What a rater must still say before the first trial; "" if that is all."""
        asked, years = self._study.background, given.get("years", "").strip()
        if given.get("consent") != "yes":
            return "Please say first that you agree."
        if asked.professions and given.get("profession") not in asked.professions:
            return "Please choose your profession from the list."
        whole = years.isascii() and years.isdecimal() and len(years) < 4
        if asked.years and years and not (whole and int(years) <= _MOST_YEARS):
            return f"Please give your years as a whole number from 0 to {_MOST_YEARS}, or leave them out."
        return ""


def _revision(given: Mapping[str, str]) -> int:
    said = given.get("revision", "")
    if not (said.isascii() and said.isdecimal() and len(said) < 6):
        raise HTTPException(422, "The form could not be read.")
    return int(said)


def _place(person: Person, link: str, wanted: int = 0) -> str:
    """Where a rater goes on: at the trial that is wanted if its turn has come, else at the first without an answer."""
    if not person.agreed:
        return f"/r/{link}"
    number = wanted if wanted and person.current - wanted in (0, 1) else person.current
    return f"/r/{link}/{number if number <= person.trials else 'end'}"


def _go(place: str) -> Response:
    return RedirectResponse(place, 303)


def _ended() -> Response:
    return pages.message("The study has ended", "Thank you for your interest. All answers that were given are kept.")
