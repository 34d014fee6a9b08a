"""Published surveys: frozen for ever, one content for one id and version, found by any of their names."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.core.errors import SurveyInvalid, SurveyVersionTaken
from bot.published import Published
from bot.surveys.loader import load_survey, survey_hash
from bot.surveys.schema import Survey
from tests.node.running import SHORT_SURVEYS
from tests.published import publish

CSAT = load_survey(SHORT_SURVEYS / "csat.yaml")
NPS = load_survey(SHORT_SURVEYS / "nps.yaml")


def changed(survey: Survey, **fields: object) -> Survey:
    return survey.model_copy(update=fields)


def test_the_same_content_is_published_once(tmp_path: Path) -> None:
    published = Published(tmp_path)
    digest = publish(published, CSAT)
    assert publish(published, CSAT) == digest == survey_hash(CSAT)
    assert [each.digest for each in published.versions()] == [digest]
    assert published.by_id("csat") == (digest, CSAT)


def test_another_content_of_a_version_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    published = Published(tmp_path)
    digest = publish(published, CSAT)
    with pytest.raises(SurveyVersionTaken, match=r"csat v1 уже опубликован.*\n.*поднимите version.*2"):
        publish(published, changed(CSAT, title="Иначе"))
    assert [each.digest for each in published.versions()] == [digest]
    assert published.current() == {"csat": digest}


def test_a_new_version_is_what_new_calls_run_and_the_old_one_stays(tmp_path: Path) -> None:
    published = Published(tmp_path)
    first = publish(published, CSAT)
    second = published.freeze(changed(CSAT, version=2, title="Вторая"))
    assert published.current() == {"csat": first}, "frozen is not released"
    published.release(second)
    assert published.current() == {"csat": second}
    assert published.by_hash(first) == CSAT
    assert [(each.version, each.current) for each in published.versions()] == [(1, False), (2, True)]
    assert publish(published, CSAT) == first, "a way back: the old content of the old version"
    assert published.current() == {"csat": first}


def test_a_version_has_several_names(tmp_path: Path) -> None:
    published = Published(tmp_path)
    first, _ = publish(published, CSAT), publish(published, NPS)
    second = publish(published, changed(CSAT, version=2, title="Вторая"))
    for name, digest in (("csat@1", first), ("csat@v1", first), ("csat", second), (second[:8], second)):
        assert published.named(name)[0] == digest, name
    for name in ("csat@3", "noone", "csat@", "abcdef0123", first[:5]):
        with pytest.raises(SurveyInvalid, match="csat@1, csat@2, nps@1"):
            published.named(name)


def test_nothing_is_published_at_first(tmp_path: Path) -> None:
    published = Published(tmp_path / "not there yet")
    assert published.versions() == ()
    with pytest.raises(SurveyInvalid, match="ни одной"):
        published.named("csat")


def test_what_is_no_survey_is_named(tmp_path: Path) -> None:
    (tmp_path / f"{'0' * 64}.json").write_text('{"id": 1}', encoding="utf-8")
    with pytest.raises(SurveyInvalid, match=r"0{64}\.json"):
        Published(tmp_path).versions()


def test_many_that_publish_at_once_lose_nothing(tmp_path: Path) -> None:
    surveys = [changed(CSAT, id=f"survey{place}") for place in range(20)]
    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(lambda survey: publish(Published(tmp_path), survey), surveys))
    assert Published(tmp_path).current() == {
        survey.id: digest for survey, digest in zip(surveys, digests, strict=True)
    }


def test_of_two_contents_of_a_version_at_once_one_is_published(tmp_path: Path) -> None:
    def published_as(title: str) -> str | None:
        try:
            return publish(Published(tmp_path), changed(CSAT, title=title))
        except SurveyVersionTaken:
            return None

    with ThreadPoolExecutor(8) as pool:
        done = [digest for digest in pool.map(published_as, map(str, range(16))) if digest]
    assert len(done) == 1
    assert Published(tmp_path).current() == {"csat": done[0]}
