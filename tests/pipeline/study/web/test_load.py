"""Fifty raters vote at once while the server is killed twice: what was acknowledged is there, once."""

import http.client
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest

from pipeline.study import gathered
from pipeline.study.store import Store
from tests.pipeline.study.videos import write_study
from tests.pipeline.study.web.process import Server
from tests.pipeline.study.web.site import BACKGROUND, choose, hidden

RATERS = 50
TRIALS = 7  # four real ones, a practice, two checks
KILLS = 2
DEADLINE = 240  # seconds, on the slowest machine
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Rater:
    """One who clicks through a study over HTTP, and sends again what was not answered."""

    def __init__(self, port: int, token: str, seed: int, acknowledged: list[int]) -> None:
        self.port, self.link, self.random = port, f"/r/{token}", random.Random(seed)
        self.acknowledged = acknowledged
        self.sent: dict[int, dict[str, str]] = {}  # that the server said it has, by trial
        self.retried = 0

    def take_part(self) -> None:
        page = self.request("GET", self.link)[1]
        status, _ = self.request("POST", self.link, hidden(page) | BACKGROUND)
        assert status == 303
        for number in range(1, TRIALS + 1):
            self.answer(number)
        end = self.request("GET", f"{self.link}/end")[1]
        assert self.request("POST", f"{self.link}/end", hidden(end))[0] == 303

    def answer(self, number: int) -> None:
        status, page = self.request("GET", f"{self.link}/{number}")
        assert status == 200, "the server has forgotten an answer that it had acknowledged"
        fields = choose(page, self.random.randrange(3))
        for _ in range(self.random.choice((1, 1, 2))):  # some click twice
            status, _ = self.request("POST", f"{self.link}/{number}", fields)
            assert status == 303
        self.sent[number] = {key[2:]: value for key, value in fields.items() if key.startswith("q.")}
        self.acknowledged.append(number)

    def request(self, method: str, place: str, fields: dict[str, str] | None = None) -> tuple[int, str]:
        """The same request until it is answered."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                connection.request(method, place, urlencode(fields) if fields else None, FORM if fields else {})
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            except (OSError, http.client.HTTPException):
                self.retried += 1
                time.sleep(0.05 + 0.1 * self.random.random())
        raise AssertionError(f"no answer to {method} {place}")


def kill_in_the_middle(server: Server, acknowledged: list[int], done: threading.Event) -> None:
    """Kill the server when a third and two thirds of all answers were acknowledged, and start it again."""
    for kill in range(1, KILLS + 1):
        while len(acknowledged) < kill * RATERS * TRIALS // (KILLS + 1) and not done.wait(0.002):
            pass
        assert not done.is_set(), "everybody was done before the server could be killed"
        server.kill()
        server.start()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study of five prompts."""
    return write_study(tmp_path, "pairwise", prompts=5)


def test_a_killed_server_loses_and_doubles_nothing(study: Path, database: str) -> None:
    acknowledged: list[int] = []
    with Server(study, "--database", database) as server, ThreadPoolExecutor(RATERS + 1) as threads:
        store = Store(database)
        tokens = store.invite(RATERS)
        raters = [Rater(server.port, token, seed, acknowledged) for seed, token in enumerate(tokens.values())]
        done = threading.Event()
        killing = threads.submit(kill_in_the_middle, server, acknowledged, done)
        for future in [threads.submit(rater.take_part) for rater in raters]:
            future.result(DEADLINE)
        done.set()
        killing.result(DEADLINE)
    assert sum(rater.retried for rater in raters) > 0  # the kills were felt
    assert_all_is_there(store, dict(zip(tokens, raters, strict=True)))
    store.close()


def assert_all_is_there(store: Store, raters: dict[str, Rater]) -> None:
    answered = {rater.id: own for rater, own in gathered.answered(store)}
    assert answered.keys() == raters.keys()
    for rater, own in answered.items():
        assert {one.trial.number: dict(one.answers) for one in own} == raters[rater].sent
        assert len(own) == TRIALS
    table = gathered.votes_of(store)
    assert len(table) == RATERS * TRIALS * 3
    assert not table.duplicated(["rater", "trial", "question"]).any()
    shown = Counter(table[table.check == ""].prompt)
    assert max(shown.values()) - min(shown.values()) <= 3  # a trial of three questions
