"""The organiser's page, behind a secret of its own: how far the study is, and after its end whose clips won."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from fastapi.requests import Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from pipeline.study import gathered
from pipeline.study.votes import as_csv
from pipeline.study.web import pages
from pipeline.study.web.context import Served
from pipeline.study.web.security import alike, check_form, form, secret_of_organiser, token

_HOURS = 12
Form = Annotated[dict[str, str], Depends(form)]


def routes(served: Served) -> APIRouter:
    """The organiser's pages."""
    router, organiser = APIRouter(prefix="/organiser"), _Organiser(served)
    router.get("")(organiser.show)
    router.post("")(organiser.enter)
    router.post("/leave")(organiser.leave)
    router.get("/votes.csv")(organiser.votes)
    return router


class _Organiser:
    def __init__(self, served: Served) -> None:
        self._served = served
        self._cookie = f"organiser-{served.study.name}"  # cookies do not tell ports, studies of one host, apart

    def show(self, request: Request) -> Response:
        """The state of the study, or the form that asks for the secret."""
        if not self._may_enter(request):
            return self._form()
        served, recorded = self._served, self._served.store.recorded()
        table, raters = gathered.votes_of(served.store), gathered.progress(served.store)
        values = {"study": recorded.study, "started": recorded.started, "ended": recorded.ended, "raters": raters}
        values |= {"seconds_per_trial": gathered.seconds_per_trial(raters), "agreement": gathered.agreement(table)}
        values |= {"checks": gathered.passed_checks(table), "token": token(served.key, "leave")}
        values |= {"shares": list(gathered.shares(table)) if recorded.ended else []}
        return pages.page("organiser", **values)

    def enter(self, request: Request, given: Form) -> Response:
        """Take the secret, and give a cookie for it."""
        check_form(given, self._served.key, "enter")
        if not alike(given.get("secret", "").strip(), secret_of_organiser(self._served.key)):
            return self._form("That is not the secret.", 403)
        answer = RedirectResponse("/organiser", 303)
        safe = {"httponly": True, "samesite": "strict", "secure": pages.is_secure(request), "path": "/organiser"}
        answer.set_cookie(self._cookie, self._ticket(), max_age=_HOURS * 3600, **safe)
        return answer

    def leave(self, given: Form) -> Response:
        """Forget the cookie."""
        check_form(given, self._served.key, "leave")
        answer = RedirectResponse("/organiser", 303)
        answer.delete_cookie(self._cookie, path="/organiser")
        return answer

    def votes(self, request: Request) -> Response:
        """All votes, once the study has ended."""
        if not self._may_enter(request):
            raise HTTPException(403, "This page needs the organiser's secret.")
        if not self._served.ended:
            raise HTTPException(403, "Votes name their methods, and can be had here when the study has ended.")
        text = as_csv(gathered.votes_of(self._served.store))
        named = {"Content-Disposition": f'attachment; filename="{self._served.study.name}.csv"'}
        return PlainTextResponse(text, headers=named, media_type="text/csv")

    def _may_enter(self, request: Request) -> bool:
        return alike(request.cookies.get(self._cookie, ""), self._ticket())

    def _ticket(self) -> str:
        return token(self._served.key, "organiser's cookie")

    def _form(self, remark: str = "", status: int = 200) -> Response:
        return pages.page("enter", status, token=token(self._served.key, "enter"), remark=remark)
