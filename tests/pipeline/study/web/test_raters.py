"""What raters meet: consent, trials, going back, coming back, two windows, the end."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.study import gathered
from pipeline.study.questions import DEFAULTS
from tests.pipeline.study.web.site import CLIPS, Site, answer, begin, choose, hidden, site, take_part


@pytest.fixture
def pairs(tmp_path: Path) -> Site:
    """A pairwise study of four trials, a practice and two checks."""
    return site(tmp_path, "pairwise")


@pytest.mark.parametrize("kind", sorted(DEFAULTS))
def test_a_rater_goes_through_a_study_of_each_design(kind: str, tmp_path: Path) -> None:
    of = site(tmp_path, kind, methods=3)
    trials = take_part(of, of.links[0])
    assert len(trials) == 7
    table = gathered.votes_of(of.store)
    assert len(table) == 7 * len(DEFAULTS[kind])
    assert table.check.value_counts().reindex(["", "practice", "identical", "obvious"]).tolist() == [
        count * len(DEFAULTS[kind]) for count in (4, 1, 1, 1)
    ]
    assert set(table.profession) == {"AI"} and set(table.years) == {3}
    for place in trials:  # nothing is open any more
        assert of.client.get(place).headers["location"] == f"{of.links[0]}/end"


def test_consent_and_background_come_first(pairs: Site) -> None:
    page = pairs.client.get(pairs.links[0])
    assert page.status_code == 200
    for text in ("Your answers are kept without your name.", "I have read this and agree", "profession", "years"):
        assert text in page.text
    for place in ("1", "2", "end"):
        assert pairs.client.get(f"{pairs.links[0]}/{place}").status_code in (303, 404)
    assert begin(pairs, pairs.links[0]).headers["location"] == f"{pairs.links[0]}/1"


def test_years_may_be_left_out(pairs: Site) -> None:
    assert begin(pairs, pairs.links[0], years="").status_code == 303
    assert gathered.progress(pairs.store)[0].agreed is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"consent": ""},
        {"profession": "Pirate"},
        {"profession": ""},
        {"years": "-1"},
        {"years": "3.5"},
        {"years": "200"},
    ],
)
def test_a_bad_background_is_refused(pairs: Site, changes: dict[str, str]) -> None:
    refused = begin(pairs, pairs.links[0], **changes)
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text and 'name="consent"' in refused.text  # the same page, to do it there
    assert gathered.progress(pairs.store)[0].agreed is None


def test_what_is_not_asked_is_not_kept(tmp_path: Path) -> None:
    of = site(tmp_path, "best_of", background={})
    assert "profession" not in of.client.get(of.links[0]).text
    take_part(of, of.links[0])
    table = gathered.votes_of(of.store)
    assert set(table.profession) == {""} and table.years.isna().all()


def test_beginning_twice_is_beginning_once(pairs: Site) -> None:
    fields = hidden(pairs.client.get(pairs.links[0]).text) | {"consent": "yes", "profession": "AI", "years": "3"}
    places = [pairs.client.post(pairs.links[0], data=fields).headers["location"] for _ in range(3)]
    assert places == [f"{pairs.links[0]}/1"] * 3
    assert [one.trials for one in gathered.progress(pairs.store)] == [7, 0]


def test_the_practice_is_marked_as_such(pairs: Site) -> None:
    begin(pairs, pairs.links[0])
    assert "For practice" in pairs.client.get(f"{pairs.links[0]}/1").text
    answer(pairs, f"{pairs.links[0]}/1")
    assert "For practice" not in pairs.client.get(f"{pairs.links[0]}/2").text


def test_progress_is_shown(pairs: Site) -> None:
    begin(pairs, pairs.links[0])
    answer(pairs, f"{pairs.links[0]}/1")
    page = pairs.client.get(f"{pairs.links[0]}/2").text
    assert "2 of 7" in page and '<progress value="1" max="7"' in page


def test_the_link_leads_back_to_where_one_was(pairs: Site) -> None:
    begin(pairs, pairs.links[0])
    for number in (1, 2, 3):
        answer(pairs, f"{pairs.links[0]}/{number}")
    assert pairs.client.get(pairs.links[0]).headers["location"] == f"{pairs.links[0]}/4"
    assert pairs.client.get(f"{pairs.links[0]}/6").headers["location"] == f"{pairs.links[0]}/4"


def test_a_double_click_is_one_vote(pairs: Site) -> None:
    begin(pairs, pairs.links[0])
    place = f"{pairs.links[0]}/1"
    fields = choose(pairs.client.get(place).text)
    assert {pairs.client.post(place, data=fields).headers["location"] for _ in range(3)} == {f"{pairs.links[0]}/2"}
    assert len(gathered.votes_of(pairs.store)) == 3


def test_a_reload_of_an_old_form_changes_nothing(pairs: Site) -> None:
    begin(pairs, pairs.links[0])
    place = f"{pairs.links[0]}/1"
    old = choose(pairs.client.get(place).text)
    pairs.client.post(place, data=old)
    for number in (2, 3):
        answer(pairs, f"{pairs.links[0]}/{number}")
    before = gathered.votes_of(pairs.store)
    assert pairs.client.post(place, data=old).headers["location"] == f"{pairs.links[0]}/4"
    assert gathered.votes_of(pairs.store).equals(before)


def test_one_may_go_back_one_trial_and_no_further(pairs: Site) -> None:
    begin(pairs, pairs.links[0])
    for number in (1, 2):
        answer(pairs, f"{pairs.links[0]}/{number}", 0)
    assert pairs.client.get(f"{pairs.links[0]}/1").headers["location"] == f"{pairs.links[0]}/3"
    assert f'href="{pairs.links[0]}/2"' in pairs.client.get(f"{pairs.links[0]}/3").text
    back = pairs.client.get(f"{pairs.links[0]}/2").text
    assert back.count(" checked>") == 3 and "back at your last answer" in back
    assert f'href="{pairs.links[0]}/1"' not in back
    assert answer(pairs, f"{pairs.links[0]}/2", 1).headers["location"] == f"{pairs.links[0]}/3"
    page = pairs.store.show(gathered.progress(pairs.store)[0].rater, 2)
    assert set(page.answers.values()) == {"2"}


def test_the_last_answer_may_be_corrected_until_the_end(pairs: Site) -> None:
    begin(pairs, pairs.links[0])
    for number in range(1, 8):
        answer(pairs, f"{pairs.links[0]}/{number}", 0)
    end = pairs.client.get(f"{pairs.links[0]}/end").text
    assert f'href="{pairs.links[0]}/7"' in end
    assert answer(pairs, f"{pairs.links[0]}/7", 1).headers["location"] == f"{pairs.links[0]}/end"
    pairs.client.post(f"{pairs.links[0]}/end", data=hidden(end))
    late = pairs.client.get(f"{pairs.links[0]}/7")
    assert late.headers["location"] == f"{pairs.links[0]}/end"
    page = pairs.store.show(gathered.progress(pairs.store)[0].rater, 7)
    assert set(page.answers.values()) == {"2"}


def test_a_second_window_is_told_what_the_first_one_sent(pairs: Site) -> None:
    begin(pairs, pairs.links[0])
    place = f"{pairs.links[0]}/1"
    page = pairs.client.get(place).text  # in both windows
    first, second = choose(page, 0), choose(page, 1)
    assert pairs.client.post(place, data=first).status_code == 303
    told = pairs.client.post(place, data=second)
    assert told.status_code == 409
    assert "answered this one already" in told.text and told.text.count(" checked>") == 3
    assert set(gathered.votes_of(pairs.store).answer) == set(gathered.answered(pairs.store)[0][1][0].trial.shown[:1])
    again = choose(told.text, 1)  # corrected there
    assert pairs.client.post(place, data=again).headers["location"] == f"{pairs.links[0]}/2"
    assert pairs.store.show(gathered.progress(pairs.store)[0].rater, 1).revision == 2


def test_nobody_is_done_before_the_last_trial(pairs: Site) -> None:
    begin(pairs, pairs.links[0])
    fields = hidden(pairs.client.get(f"{pairs.links[0]}/1").text)
    assert pairs.client.get(f"{pairs.links[0]}/end").headers["location"] == f"{pairs.links[0]}/1"
    pairs.client.post(f"{pairs.links[0]}/end", data=fields)
    assert answer(pairs, f"{pairs.links[0]}/1").headers["location"] == f"{pairs.links[0]}/2"


def test_a_link_works_without_its_script(pairs: Site) -> None:
    """Real form controls, and videos that play by themselves."""
    begin(pairs, pairs.links[0])
    page = pairs.client.get(f"{pairs.links[0]}/1").text
    assert page.count('type="radio"') == 9 == page.count(" required>")
    assert page.count("autoplay loop muted playsinline") == 2
    assert "<button>" in page and " onclick" not in page


def test_after_the_end_of_the_study_nothing_is_taken(pairs: Site) -> None:
    begin(pairs, pairs.links[0])
    fields = choose(pairs.client.get(f"{pairs.links[0]}/1").text)
    pairs.store.end()
    refused = pairs.client.post(f"{pairs.links[0]}/1", data=fields)
    assert_not_stored(refused, pairs.links[0], "the study has ended")
    for place in (*pairs.links, f"{pairs.links[0]}/1", "/"):
        assert "The study has ended" in pairs.client.get(place).text
    assert gathered.votes_of(pairs.store).empty


def assert_not_stored(refused: Any, onward: str, why: str) -> None:
    assert refused.status_code == 409
    assert "This answer was not stored" in refused.text and why in refused.text
    assert f'href="{onward}"' in refused.text


def test_other_answers_in_an_old_form_are_refused_aloud(pairs: Site) -> None:
    begin(pairs, pairs.links[0])
    page = pairs.client.get(f"{pairs.links[0]}/1").text
    for number in (1, 2, 3):
        answer(pairs, f"{pairs.links[0]}/{number}", 0)
    before = gathered.votes_of(pairs.store)
    assert_not_stored(pairs.client.post(f"{pairs.links[0]}/1", data=choose(page, 1)), pairs.links[0], "turn")
    assert gathered.votes_of(pairs.store).equals(before)


def test_a_correction_after_the_rater_is_done_is_refused_aloud(pairs: Site) -> None:
    begin(pairs, pairs.links[0])
    for number in range(1, 8):
        answer(pairs, f"{pairs.links[0]}/{number}", 0)
    page = pairs.client.get(f"{pairs.links[0]}/7").text
    pairs.client.post(f"{pairs.links[0]}/end", data=hidden(page))
    before = gathered.votes_of(pairs.store)
    late = pairs.client.post(f"{pairs.links[0]}/7", data=choose(page, 1))
    assert_not_stored(late, pairs.links[0], "you are done")
    assert gathered.votes_of(pairs.store).equals(before)


def test_a_correction_after_the_end_is_refused_aloud(pairs: Site) -> None:
    begin(pairs, pairs.links[0])
    answer(pairs, f"{pairs.links[0]}/1", 0)
    page = pairs.client.get(f"{pairs.links[0]}/1").text
    pairs.store.end()
    before = gathered.votes_of(pairs.store)
    late = pairs.client.post(f"{pairs.links[0]}/1", data=choose(page, 1))
    assert_not_stored(late, pairs.links[0], "the study has ended")
    assert gathered.votes_of(pairs.store).equals(before)
    assert pairs.client.post(f"{pairs.links[0]}/1", data=choose(page, 0)).status_code == 200  # it is stored


def test_a_deleted_rater_has_no_page_any_more(pairs: Site) -> None:
    begin(pairs, pairs.links[0])
    clip = CLIPS.findall(pairs.client.get(f"{pairs.links[0]}/1").text)[0]
    assert pairs.client.get(clip).status_code == 200
    pairs.store.delete(gathered.progress(pairs.store)[0].rater)
    assert [pairs.client.get(place).status_code for place in (pairs.links[0], f"{pairs.links[0]}/1", clip)] == [404] * 3


def test_whoever_is_not_invited_stays_outside(pairs: Site) -> None:
    assert "by invitation" in pairs.client.get("/").text
    fields = {"link": "x" * 43, "token": "y"}
    assert pairs.client.post("/join", data=fields).status_code == 403


def test_anybody_may_join_an_open_study_and_a_double_click_makes_one_rater(tmp_path: Path) -> None:
    of = site(tmp_path, "rating", raters=0, enrolment="open")
    fields = hidden(of.client.get("/").text)
    places = {of.client.post("/join", data=fields).headers["location"] for _ in range(3)}
    assert len(places) == len(gathered.progress(of.store)) == 1
    take_part(of, places.pop())
    other = of.client.post("/join", data=hidden(of.client.get("/").text)).headers["location"]
    assert begin(of, other).headers["location"] == f"{other}/1"


def test_a_link_to_join_cannot_be_made_up(tmp_path: Path) -> None:
    of = site(tmp_path, "rating", raters=0, enrolment="open")
    fields = hidden(of.client.get("/").text) | {"link": "chosen-by-somebody"}
    assert of.client.post("/join", data=fields).status_code == 403
    assert gathered.progress(of.store) == []
