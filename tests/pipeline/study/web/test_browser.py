"""A whole study of each design in a real browser: by mouse, by keyboard alone, on a phone in the dark, without scripts,
with a lost connection, in two windows."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.study import gathered
from pipeline.study.questions import DEFAULTS
from pipeline.study.web.security import secret_of_organiser
from tests.pipeline.study.web import browser
from tests.pipeline.study.web.site import Site, site

TRIALS = 7
REFUSING = """
document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("video").forEach((v) => v.pause()));
Object.defineProperty(HTMLMediaElement.prototype, "autoplay", { get: () => false });
const play = HTMLMediaElement.prototype.play;
let touched = false;
["keydown", "click"].forEach((name) => addEventListener(name, () => (touched = true), true));
HTMLMediaElement.prototype.play = function () {
  return touched ? play.call(this) : Promise.reject(new DOMException("first touch the page", "NotAllowedError"));
};
"""  # a browser that plays nothing by itself
Open = Callable[..., Any]
Begun = Callable[[str], tuple[Site, str, Any]]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser."""
    with browser.opened() as found:
        if found is None:
            pytest.skip(browser.MISSING)
        yield found


@pytest.fixture
def faults() -> list[str]:
    """What a page complained of, and what it wanted from elsewhere."""
    return []


@pytest.fixture
def opening(chromium: Any, faults: list[str]) -> Iterator[Open]:
    """Opens a page in a browser of its own, and writes down its faults."""
    contexts = []

    def opened(place: str, **options: Any) -> Any:
        context = chromium.new_context(**{"viewport": {"width": 1100, "height": 760}} | options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
        base = "/".join(place.split("/")[:3])
        page.on("request", lambda sent: None if sent.url.startswith(base) else faults.append(sent.url))
        page.goto(place)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[..., tuple[Site, str]]]:
    """Serves a study of a design; the study, and the address of its first rater."""
    running = []

    def serve(kind: str, **changes: Any) -> tuple[Site, str]:
        of = site(tmp_path, kind, methods=4 if kind == "best_of" else 2, **changes)
        running.append(browser.address(of.client.app))
        return of, running[-1].__enter__() + of.links[0]

    yield serve
    for one in running:
        one.__exit__(None, None, None)


@pytest.fixture
def begun(served: Callable[..., tuple[Site, str]], opening: Open) -> Begun:
    """Serves a study and agrees to take part: the study, the rater's address, and the page of the first trial."""

    def begin(kind: str) -> tuple[Site, str, Any]:
        of, link = served(kind)
        page = opening(link)
        browser.agree(page)
        return of, link, page

    return begin


def is_whole(of: Site, kind: str) -> bool:
    table = gathered.votes_of(of.store)
    return len(table) == TRIALS * len(DEFAULTS[kind]) and not table.duplicated(["rater", "trial", "question"]).any()


@pytest.mark.parametrize("kind", sorted(DEFAULTS))
def test_a_whole_study(kind: str, served: Any, opening: Open, faults: list[str], tmp_path: Path) -> None:
    of, link = served(kind)
    page = opening(link)
    page.screenshot(path=tmp_path / "welcome.png")
    browser.agree(page)
    for number in range(1, TRIALS + 1):
        assert page.url == f"{link}/{number}"
        assert page.locator(".remark").count() == (number == 1)  # the practice
        browser.wait_for_videos(page)
        browser.choose(page, number)
        page.screenshot(path=tmp_path / f"trial-{number}.png")
        browser.go_on(page)
    page.screenshot(path=tmp_path / "end.png")
    page.click("text=I am done")
    page.wait_for_selector("text=Thank you")
    assert is_whole(of, kind)
    assert faults == []
    assert len(list(tmp_path.glob("*.png"))) == TRIALS + 2


def test_videos_play_in_step_without_sound_or_controls(begun: Begun) -> None:
    _, _, page = begun("best_of")
    browser.wait_for_videos(page)
    videos = "[...document.querySelectorAll('video')]"
    apart = f"Math.max(...{videos}.map(v => v.currentTime)) - Math.min(...{videos}.map(v => v.currentTime))"
    rounds = 0
    for _ in range(20):
        page.wait_for_timeout(97)
        assert page.evaluate(apart) < 0.15
        rounds += page.evaluate(f"{videos}[0].currentTime < 0.2")
    assert rounds > 1  # half a second long: they began anew
    assert page.evaluate(f"{videos}.every(v => v.muted && !v.controls && v.playsInline)")
    assert page.evaluate("getComputedStyle(document.querySelector('video')).imageRendering") == "pixelated"
    places = page.evaluate(f"{videos}.map(v => v.getBoundingClientRect().top)")
    assert len(set(places)) == 1  # side by side


def has_visible_focus(page: Any) -> bool:
    """Whether the focused control, or the answer around it, has an outline."""
    outlined = "[at, at.closest('.choice') ?? at].some(e => getComputedStyle(e).outlineStyle !== 'none')"
    return page.evaluate(f"(() => {{ const at = document.activeElement; return {outlined} }})()")


@pytest.mark.parametrize("kind", ["best_of", "pairwise"])
def test_the_keyboard_alone_is_enough(kind: str, served: Any, opening: Open, faults: list[str]) -> None:
    of, link = served(kind)
    page = opening(link)
    for key in ("Tab", "Space", "Tab", "A", "Tab", "3"):
        page.keyboard.press(key)
        assert has_visible_focus(page)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    for number in range(1, TRIALS + 1):
        page.wait_for_selector("#trial")
        if number == 3:  # back to the last one by keyboard, and forth again
            page.locator("a").focus()
            with page.expect_navigation():
                page.keyboard.press("Enter")
            with page.expect_navigation():
                page.keyboard.press("Enter")
        for _ in DEFAULTS[kind]:
            page.keyboard.press("2")
            assert has_visible_focus(page)
        with page.expect_navigation():
            page.keyboard.press("Enter")
    browser.wait_for(page, "document.activeElement.tagName === 'BUTTON'")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "Thank you" in page.content()
    assert is_whole(of, kind)
    sides = {value for _, own in gathered.answered(of.store) for one in own for value in one.answers.values()}
    assert sides == {"2"}
    assert faults == []


@pytest.mark.parametrize("kind", ["best_of", "pairwise", "rating"])
def test_a_phone_in_the_dark(kind: str, served: Any, opening: Open, faults: list[str], tmp_path: Path) -> None:
    of, link = served(kind)
    phone = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True, "color_scheme": "dark"}
    page = opening(link, **phone)
    assert_fits(page)
    browser.agree(page)
    for number in range(1, TRIALS + 1):
        assert_fits(page)
        browser.choose(page, number)
        page.screenshot(path=tmp_path / f"phone-{number}.png", full_page=True)
        browser.go_on(page)
    assert_fits(page)
    assert is_whole(of, kind)
    assert faults == []


def assert_fits(page: Any) -> None:
    """Nothing is wider than the screen, and the ground is dark."""
    page.wait_for_load_state()  # with its styles
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    red, green, blue = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert max(red, green, blue) < 60


def test_a_study_needs_no_script(served: Any, opening: Open) -> None:
    of, link = served("pairwise")
    page = opening(link, java_script_enabled=False)
    browser.agree(page)
    for number in range(1, TRIALS + 1):
        browser.choose(page, number)
        browser.go_on(page)
    page.click("text=I am done")
    assert is_whole(of, "pairwise")


def test_an_answer_that_is_missing_is_not_sent(begun: Begun) -> None:
    of, link, page = begun("pairwise")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert page.url == f"{link}/1"
    assert gathered.votes_of(of.store).empty


def answer_offline(page: Any) -> None:
    """The first answer, which does not arrive."""
    browser.wait_for_videos(page)  # a video that is cut off while it loads cannot be judged, and its answer is not sent
    page.context.set_offline(True)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=No connection")


def test_a_lost_connection_loses_nothing(begun: Begun) -> None:
    of, link, page = begun("best_of")
    answer_offline(page)
    assert gathered.votes_of(of.store).empty
    page.context.set_offline(False)
    page.wait_for_url(f"{link}/2")
    assert len(gathered.votes_of(of.store)) == 1


def test_a_change_of_mind_without_a_connection_is_what_arrives(begun: Begun) -> None:
    of, link, page = begun("best_of")
    answer_offline(page)
    page.keyboard.press("2")
    page.context.set_offline(False)
    page.wait_for_url(f"{link}/2")
    assert gathered.answered(of.store)[0][1][0].answers == {"best": "2"}


def test_a_server_that_fails_is_told_from_a_lost_connection(begun: Begun) -> None:
    of, link, page = begun("best_of")
    browser.wait_for_videos(page)  # the script runs
    page.route(f"{link}/1", lambda route: route.fulfill(status=503))
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=The server does not answer")
    assert gathered.votes_of(of.store).empty
    page.unroute(f"{link}/1")
    page.wait_for_url(f"{link}/2")
    assert len(gathered.votes_of(of.store)) == 1


def test_videos_can_be_stopped(begun: Begun) -> None:
    _, _, page = begun("pairwise")
    browser.wait_for_videos(page)
    assert page.is_visible("text=P, or a click on a video, stops and plays them")
    stopped = "[...document.querySelectorAll('video')].every(v => v.paused)"
    keyboard, video = page.keyboard.press, page.locator("video").first
    for stop in (lambda: keyboard("Space"), lambda: keyboard("p"), video.click):
        stop()
        for _ in range(12):  # longer than a clip and its last frame
            page.wait_for_timeout(90)
            assert page.evaluate(stopped)
        stop()
        browser.wait_for(page, f"!{stopped}")


def test_space_still_chooses_the_answer_that_has_the_focus(begun: Begun) -> None:
    _, _, page = begun("best_of")
    browser.wait_for_videos(page)
    page.locator("input[type=radio]").nth(1).focus()
    page.keyboard.press("Space")
    assert page.locator("input:checked").get_attribute("value") == "2"
    assert page.evaluate("[...document.querySelectorAll('video')].every(v => !v.paused || v.ended)")


def test_a_clip_that_does_not_load_cannot_be_judged(served: Any, opening: Open) -> None:
    of, link = served("best_of")
    page = opening(link)
    first: list[str] = []

    def fail_one(route: Any) -> None:
        first.append(route.request.url)
        route.abort() if route.request.url == first[0] else route.continue_()

    page.route("**/clips/*", fail_one)
    browser.agree(page)
    page.wait_for_selector("text=A video could not be loaded")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    assert page.is_disabled("#trial button")
    assert gathered.votes_of(of.store).empty
    page.unroute("**/clips/*")
    with page.expect_navigation():
        page.click("text=Load this page again")
    browser.wait_for_videos(page)
    assert not page.is_disabled("#trial button")


@pytest.mark.parametrize("touch", ["1", "Space", "click"])
def test_videos_that_may_not_start_do_at_the_first_touch(touch: str, served: Any, opening: Open) -> None:
    _, link = served("best_of")
    page = opening(link)
    page.add_init_script(REFUSING)
    browser.agree(page)
    page.wait_for_selector("text=Press any key or click to play them")
    assert page.evaluate("document.querySelector('video').controls")
    page.locator("video").first.click() if touch == "click" else page.keyboard.press(touch)
    browser.wait_for_videos(page)
    assert not page.evaluate("document.querySelector('video').controls")


def test_double_clicks_reloads_and_the_back_button_double_nothing(begun: Begun) -> None:
    of, link, page = begun("best_of")
    browser.choose(page, 0)
    page.dblclick("#trial button", no_wait_after=True)
    page.wait_for_url(f"{link}/2")
    page.reload()
    page.go_back()
    page.wait_for_selector("text=back at your last answer")
    browser.choose(page, 1)
    browser.go_on(page)
    assert page.url == f"{link}/2"
    table = gathered.votes_of(of.store)
    assert len(table) == 1 and gathered.answered(of.store)[0][1][0].answers == {"best": "2"}


def test_two_windows_of_one_rater(served: Any, opening: Open) -> None:
    of, link = served("best_of")
    first = opening(link)
    browser.agree(first)
    second = opening(f"{link}/1")
    browser.choose(first, 0)
    browser.go_on(first)
    browser.choose(second, 1)
    second.click("#trial button")
    second.wait_for_selector("text=answered this one already")
    assert second.locator("input:checked").get_attribute("value") == "1"
    browser.go_on(second)
    assert second.url == first.url == f"{link}/2"
    assert gathered.answered(of.store)[0][1][0].answers == {"best": "1"}


def test_the_organiser_looks_on(opening: Open, begun: Begun, faults: list[str], tmp_path: Path) -> None:
    of, link, page = begun("best_of")
    for number in range(1, 4):
        browser.choose(page, number)
        browser.go_on(page)
    organiser = opening(link.replace(of.links[0], "/organiser"), viewport={"width": 360, "height": 740})
    organiser.fill("#secret", secret_of_organiser(of.key))
    with organiser.expect_navigation():
        organiser.keyboard.press("Enter")
    assert "3 of 7" in organiser.inner_text("table >> nth=-1")
    assert organiser.evaluate("document.documentElement.scrollWidth") <= 360
    organiser.screenshot(path=tmp_path / "organiser.png")
    assert faults == []
