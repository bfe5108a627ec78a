"""The app: routes, the headers of every answer, and errors as plain pages."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from pipeline.study.web import organiser, pages, raters
from pipeline.study.web.context import Served
from pipeline.study.web.security import SafeHeaders

_SAID = {404: "There is no such page.", 405: "That cannot be done here."}


def create(served: Served) -> SafeHeaders:
    """The app of a study."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(raters.routes(served))
    app.include_router(organiser.routes(served))
    app.mount("/static", StaticFiles(directory=pages.STATIC))
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _not_found)
    app.add_exception_handler(Exception, _failed)
    return SafeHeaders(app)  # around everything, also the page that says that something went wrong


async def _refused(_: Request, error: HTTPException) -> Response:
    text = _SAID.get(error.status_code, error.detail)
    title = "Not found" if error.status_code == 404 else "That did not work"
    return pages.message(title, text, error.status_code)


async def _not_found(request: Request, _: RequestValidationError) -> Response:
    return await _refused(request, HTTPException(404))


async def _failed(_: Request, __: Exception) -> Response:
    return pages.message("Something went wrong", "Your earlier answers are kept. Please try again in a moment.", 500)
