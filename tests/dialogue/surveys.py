"""Surveys made for these tests: small, and with wordings that tell one from another."""

from __future__ import annotations

from pathlib import Path

from bot.surveys.loader import survey_hash, to_json
from bot.surveys.schema import Survey


def nps_survey(question: str = "От нуля до десяти, порекомендуете ли вы нас?") -> Survey:
    """NPS, yes or no, an open question; a human for 6 and less."""
    return Survey.model_validate(
        {
            "id": "dialogue_nps",
            "version": 1,
            "language": "ru",
            "title": "Опрос для проверки диалога",
            "company": "Ромашка",
            "consent": "Разговор записывается.",
            "introduction": "Здравствуйте, это короткий опрос.",
            "questions": [
                {"id": "nps", "kind": "nps", "ask": question, "reask": "Назовите число от нуля до десяти."},
                {
                    "id": "resolved",
                    "kind": "yes_no",
                    "ask": "Ваш вопрос решён?",
                    "reask": "Скажите да или нет, решён ли вопрос.",
                },
                {
                    "id": "comment",
                    "kind": "open",
                    "ask": "Что нам улучшить?",
                    "reask": "Скажите в двух словах.",
                },
            ],
            "triage": [
                {
                    "id": "detractor",
                    "when": {"question": "nps", "at_most": 6},
                    "after": "comment",
                    "offer": "human",
                }
            ],
        }
    )


def publish(survey: Survey, folder: Path) -> str:
    """Put the survey where the action server looks; its hash."""
    digest = survey_hash(survey)
    (folder / f"{digest}.json").write_text(to_json(survey), encoding="utf-8")
    return digest
