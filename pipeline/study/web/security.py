"""What keeps strangers out: tokens, headers of every answer, and forms that are read with care."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 16 * 1024  # bytes of a form
_MOST_FIELDS = 64
_CLIP = re.compile(r"[A-Za-z0-9_-]{22}")
_FORM = "application/x-www-form-urlencoded"
_OWN = ("same-origin", "none", "")  # what a browser says of a request from the study's own pages

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}


class SafeHeaders:
    """An app whose every answer has the headers of HEADERS; pages are not stored by caches."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, marked if scope["type"] == "http" else send)


def token(key: str, *purpose: str) -> str:
    """HMAC of a purpose with the study's key: cannot be made without it, and serves nothing else.

    Args:
        key: hex digits.
    """
    return hmac.new(bytes.fromhex(key), "\0".join(purpose).encode(), hashlib.sha256).hexdigest()


def secret_of_organiser(key: str) -> str:
    """What the organiser types to see their page."""
    return token(key, "organiser")[:40]


def alike(given: str, expected: str) -> bool:
    """Whether two secrets are equal, in a time that does not say how far they are."""
    return hmac.compare_digest(given.encode(), expected.encode())


def check_form(form: Mapping[str, str], key: str, *purpose: str) -> None:
    """Refuse a form that this study's own page did not make.

    Raises:
        HTTPException: 403.
    """
    if not alike(form.get("token", ""), token(key, *purpose)):
        raise HTTPException(403, "This form is not from a page of this study, or it is out of date.")


async def form(request: Request) -> dict[str, str]:
    """The fields of a form that was sent here.

    Raises:
        HTTPException: 403 from another site, 413 if it is too large, 415 if it is no form, 422 if it cannot be read or
            has a field twice.
    """
    if request.headers.get("sec-fetch-site", "") not in _OWN:
        raise HTTPException(403, "This form was sent from another site.")
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != _FORM:
        raise HTTPException(415, "A form was expected.")
    body = await _body(request)
    try:
        fields = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise HTTPException(422, "The form could not be read.") from None
    if len(dict(fields)) < len(fields):
        raise HTTPException(422, "The form has a field twice.")
    return dict(fields)


async def _body(request: Request) -> bytes:
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > LARGEST_BODY:
        raise HTTPException(413, "That was too much for a form.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise HTTPException(413, "That was too much for a form.")
    return body


def clip_id(name: str) -> str:
    """The random id of a clip, of the name of its file.

    Raises:
        HTTPException: 404 if it cannot be one.
    """
    stem, dot, suffix = name.partition(".")
    if not _CLIP.fullmatch(stem) or (dot and suffix != "mp4"):
        raise HTTPException(404)
    return stem
