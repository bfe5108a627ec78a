"""No one is let in, and nothing tells which method made a clip."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from pipeline.study import gathered, votes
from pipeline.study.design import MOST_QUESTIONS
from pipeline.study.web.security import LARGEST_BODY, secret_of_organiser, token
from tests.pipeline.study.web.site import CLIPS, Site, answer, begin, choose, hidden, site

METHODS = ("quokka", "ocelot", "narwhal")


@pytest.fixture
def blind(tmp_path: Path) -> Site:
    """A study whose methods have names that no page would use by chance; its first rater has begun."""
    of = site(tmp_path, "best_of", methods=3, names=METHODS)
    begin(of, of.links[0])
    return of


def everything(of: Site) -> Iterator[tuple[str, bytes]]:
    """Each address that a rater or the organiser can see before the end, and all that comes back from it."""
    client, link = of.client, of.links[0]
    places = ["/", "/organiser", *of.links, "/static/study.js", "/static/study.css", "/static/icon.svg", "/none"]
    places += ["/organiser/votes.csv", "/docs", "/redoc", "/openapi.json"]
    for number in range(1, 8):
        page = client.get(f"{link}/{number}").text
        clips = CLIPS.findall(page)
        yield from ((place, _whole(client, place)) for place in (f"{link}/{number}", *clips))
        answer(of, f"{link}/{number}", number)
    enter(of)
    yield from ((place, _whole(client, place)) for place in [*places, f"{link}/end"])


def _whole(client: TestClient, place: str) -> bytes:
    got = client.get(place)
    return repr(sorted(got.headers.items())).encode() + got.content


def enter(of: Site, secret: str | None = None) -> int:
    """Enter the organiser's page; the status."""
    fields = hidden(of.client.get("/organiser").text)
    return of.client.post("/organiser", data=fields | {"secret": secret or secret_of_organiser(of.key)}).status_code


def test_nothing_tells_a_method_before_the_end(blind: Site) -> None:
    seen = dict(everything(blind))
    assert sum(place.startswith("/clips/") for place in seen) == 7 * 3
    for place, content in seen.items():
        for word in (*METHODS, "broken", "clip-00", "identical", "obvious", "votes.db", "Traceback"):
            assert word.encode() not in content, (word, place)


def test_a_clip_is_named_at_random_for_each_rater(blind: Site) -> None:
    begin(blind, blind.links[1])
    names = [CLIPS.findall(blind.client.get(f"{link}/1").text) for link in blind.links]
    assert len({name for own in names for name in own}) == 6
    headers = [blind.client.get(name).headers for own in names for name in own]
    assert len({one["last-modified"] for one in headers}) == 1
    assert all(
        one["etag"].strip('"') in name for one, name in zip(headers, (n for own in names for n in own), strict=True)
    )


def test_a_browser_may_ask_for_a_part_of_a_clip(blind: Site) -> None:
    (clip, *_) = CLIPS.findall(blind.client.get(f"{blind.links[0]}/1").text)
    whole = blind.client.get(clip)
    assert whole.headers["content-type"] == "video/mp4"
    part = blind.client.get(clip, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, whole.content[4:8])
    assert blind.client.get(clip, headers={"Range": "bytes=99999999-"}).status_code == 416
    assert blind.client.get(clip, headers={"Range": "bytes=0-1", "If-Range": '"x"'}).status_code == 200


@pytest.mark.parametrize(
    "place",
    [
        "/clips/../votes.db",
        "/clips/..%2Fvotes.db",
        "/clips/%2e%2e/%2e%2e/etc/passwd",
        "/clips/" + "A" * 22 + ".mp4",
        "/clips/%00",
        "/clips/" + "A" * 5000,
        "/static/../app.py",
        "/static/..%2f..%2fsecurity.py",
        "/static/%2e%2e/security.py",
        "/static/",
        "/r/" + "A" * 43,
        "/r/" + "A" * 5000,
        "/r/%00",
        "/r/x/1",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/.git/config",
        "/media",
    ],
)
def test_what_is_not_the_studys_is_not_found(blind: Site, place: str) -> None:
    got = blind.client.get(place)
    assert got.status_code == 404
    assert "Not found" in got.text and "Traceback" not in got.text


@pytest.mark.parametrize("number", ["0", "8", "-1", "1.5", "x", "٣", "99999999999999999999", "1%00", "01x"])
def test_a_trial_that_is_none_is_not_found(blind: Site, number: str) -> None:
    assert blind.client.get(f"{blind.links[0]}/{number}").status_code == 404
    fields = choose(blind.client.get(f"{blind.links[0]}/1").text)
    assert blind.client.post(f"{blind.links[0]}/{number}", data=fields).status_code == 404


@given(place=st.text(max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_no_address_makes_an_error(blind: Site, place: str) -> None:
    for prefix in ("/", "/clips/", "/r/", f"{blind.links[0]}/", "/static/"):
        try:
            got = blind.client.get(prefix + place.replace("#", "").replace("?", ""))
        except (UnicodeError, ValueError):  # cannot be sent at all
            continue
        except Exception as error:
            assert type(error).__name__ in ("InvalidURL", "LocalProtocolError")
            continue
        assert got.status_code < 500


@given(
    fields=st.dictionaries(
        st.sampled_from(["q.best", "q.other", "revision", "token", "x"]), st.text(max_size=20), max_size=5
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_no_form_makes_an_error_or_a_wrong_vote(blind: Site, fields: dict[str, str]) -> None:
    place = f"{blind.links[0]}/1"
    sent = hidden(blind.client.get(place).text) | {"q.best": "1"} | fields
    try:
        got = blind.client.post(place, data=sent)
    except UnicodeError:
        return
    assert got.status_code in (303, 403, 409, 422)
    assert set(gathered.votes_of(blind.store).answer) <= {*METHODS, "tie"}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"q.best": "4"}, 422),
        ({"q.best": "yes"}, 422),
        ({"q.best": "<script>"}, 422),
        ({"q.worst": "1"}, 422),
        ({"revision": "x"}, 422),
        ({"revision": "-1"}, 422),
        ({"token": ""}, 403),
        ({"token": "é"}, 403),
    ],
)
def test_bad_values_are_refused(blind: Site, changes: dict[str, str], status: int) -> None:
    place = f"{blind.links[0]}/1"
    fields = choose(blind.client.get(place).text)
    got = blind.client.post(place, data=fields | changes)
    assert got.status_code == status
    assert "<h1>" in got.text and "<script>" not in got.text
    assert gathered.votes_of(blind.store).empty


def test_a_missing_answer_is_named(blind: Site) -> None:
    place = f"{blind.links[0]}/1"
    got = blind.client.post(place, data=hidden(blind.client.get(place).text))
    assert got.status_code == 422
    assert "There is no answer to “Which video is best?”" in got.text


def test_another_raters_token_does_not_serve(blind: Site) -> None:
    begin(blind, blind.links[1])
    other = hidden(blind.client.get(f"{blind.links[1]}/1").text)["token"]
    fields = choose(blind.client.get(f"{blind.links[0]}/1").text) | {"token": other}
    assert blind.client.post(f"{blind.links[0]}/1", data=fields).status_code == 403


@pytest.mark.parametrize("site_of", ["cross-site", "same-site"])
def test_a_form_of_another_site_is_refused(blind: Site, site_of: str) -> None:
    place = f"{blind.links[0]}/1"
    fields = choose(blind.client.get(place).text)
    assert blind.client.post(place, data=fields, headers={"Sec-Fetch-Site": site_of}).status_code == 403
    assert blind.client.post(place, data=fields, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303


def test_what_is_no_form_is_refused(blind: Site) -> None:
    place = f"{blind.links[0]}/1"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert blind.client.post(place, json={"q.best": "1"}).status_code == 415
    assert blind.client.post(place, files={"x": b"1"}).status_code == 415
    assert blind.client.post(place, content=b"\xff=\xfe", headers=form).status_code == 422
    assert blind.client.post(place, content="&".join(["a=1"] * 100), headers=form).status_code == 422
    assert blind.client.post(place, content="q.best=1&q.best=2", headers=form).status_code == 422


def test_a_form_of_the_most_questions_is_taken(tmp_path: Path) -> None:
    questions = {f"q{'x' * 40}{number}": "How good?" for number in range(MOST_QUESTIONS)}
    of = site(tmp_path, "rating", questions=questions)
    begin(of, of.links[0])
    assert answer(of, f"{of.links[0]}/1").status_code == 303
    assert len(gathered.votes_of(of.store)) == MOST_QUESTIONS


def test_too_much_is_refused_whether_it_says_so_or_not(blind: Site) -> None:
    place, form = f"{blind.links[0]}/1", {"Content-Type": "application/x-www-form-urlencoded"}
    much = b"x" * (LARGEST_BODY + 1)
    assert blind.client.post(place, content=much, headers=form).status_code == 413
    assert blind.client.post(place, content=iter([much[:9000], much[9000:]]), headers=form).status_code == 413


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
def test_other_methods_are_refused(blind: Site, method: str) -> None:
    assert getattr(blind.client, method)(f"{blind.links[0]}/1").status_code == 405


def test_every_answer_has_safe_headers(blind: Site) -> None:
    places = ("/", f"{blind.links[0]}/1", "/organiser", "/none", "/static/study.js", "/clips/none")
    for got in (*map(blind.client.get, places), blind.client.post("/join", json={})):
        assert "default-src 'self'" in got.headers["content-security-policy"]
        assert got.headers["referrer-policy"] == "no-referrer"
        assert got.headers["x-content-type-options"] == "nosniff"
        assert "server" not in got.headers
    assert blind.client.get(f"{blind.links[0]}/1").headers["cache-control"] == "no-store"


def test_pages_need_nothing_from_outside(blind: Site) -> None:
    pages = [blind.client.get(place).text for place in ("/", f"{blind.links[0]}/1", blind.links[1], "/organiser")]
    for page in pages:
        named = re.findall(r'(?:src|href|action)="([^"]*)"', page)
        assert named and all(one.startswith("/") and not one.startswith("//") for one in named)
        assert "<style" not in page and not re.search(r"<script[^>]*>[^<]", page)  # the policy would stop them
    for file in ("study.css", "study.js"):
        assert "http" not in blind.client.get(f"/static/{file}").text


def test_captions_are_escaped(blind: Site) -> None:
    page = blind.client.get(f"{blind.links[0]}/1").text
    assert re.search(r"A square &lt;\d&gt; &amp; its ground", page)


def test_an_error_of_ours_shows_nothing_of_itself(blind: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("the password is quokka")

    monkeypatch.setattr(type(blind.store), "show", fails)
    got = blind.client.get(f"{blind.links[0]}/1")
    assert got.status_code == 500
    assert "default-src 'self'" in got.headers["content-security-policy"]
    assert "Something went wrong" in got.text and "quokka" not in got.text


def test_the_organisers_page_needs_its_secret(blind: Site) -> None:
    assert "Raters" not in blind.client.get("/organiser").text
    assert enter(blind, "wrong") == 403 and enter(blind, "é") == 403
    assert enter(blind) == 303
    assert "Raters" in blind.client.get("/organiser").text
    fields = hidden(blind.client.get("/organiser").text)
    assert blind.client.post("/organiser/leave", data=fields).status_code == 303
    assert "Raters" not in blind.client.get("/organiser").text


def test_the_organisers_cookie_is_kept_from_scripts_and_other_sites(blind: Site) -> None:
    fields = hidden(blind.client.get("/organiser").text) | {"secret": secret_of_organiser(blind.key)}
    said = blind.client.post("/organiser", data=fields).headers["set-cookie"].lower()
    assert "httponly" in said and "samesite=strict" in said and "path=/organiser" in said and "secure" not in said
    safe = TestClient(blind.client.app, base_url="https://testserver", follow_redirects=False)
    assert "; secure" in safe.post("/organiser", data=fields).headers["set-cookie"].lower()
    assert secret_of_organiser(blind.key) not in said


@pytest.mark.parametrize("cookie", ["", "x", "0" * 64])
def test_a_made_up_cookie_opens_nothing(blind: Site, cookie: str) -> None:
    blind.client.cookies.set("organiser-small-best-of", cookie)
    assert "Raters" not in blind.client.get("/organiser").text
    assert blind.client.get("/organiser/votes.csv").status_code == 403


def test_the_organiser_sees_methods_after_the_end(blind: Site) -> None:
    for number in range(1, 8):
        answer(blind, f"{blind.links[0]}/{number}", 0)
    enter(blind)
    assert blind.client.get("/organiser/votes.csv").status_code == 403
    blind.store.end()
    page, table = blind.client.get("/organiser").text, blind.client.get("/organiser/votes.csv")
    assert any(method in page for method in METHODS)
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text == votes.as_csv(gathered.votes_of(blind.store)) and table.text.count("\n") == 8


def test_tokens_are_of_their_purpose() -> None:
    key = "ab" * 32
    made = {token(key, *purpose) for purpose in (("a", "b"), ("ab",), ("a", "", "b"), ("b", "a"), ("a",))}
    assert len(made) == 5 and token("cd" * 32, "a") not in made
