"""Trying a survey by keyboard in the pages: the node's own Rasa, understanding and rules; nothing is stored.

A survey that is tried lies beside what is published, in a folder of its own, where the actions find it by
its hash and no call does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bot.call.dialogue import RasaDialogue
from bot.core.context import CallContext, Person
from bot.core.directives import Ask, Expectation, Offer, TurnReply, YesNoExpected
from bot.core.errors import BadInput
from bot.core.files import write_whole
from bot.core.ids import new_id
from bot.surveys.loader import from_json, survey_hash
from bot.surveys.prompts import voices
from bot.surveys.talking import NOBODY, Course, Tell, lines_of, plain_value, spoken_in, turn_of
from bot.web.customers.keys import keys_for
from bot.words import words

MOST_TALKS = 20
KEPT_S = 1800.0
"""A talk that nobody has gone on with for so long is over."""

LONGEST_LINE = 500
"""Letters of one turn."""

KEPT_SURVEYS = 50


@dataclass(slots=True)
class Talk:
    """`said` is what the bot said, in order, with the voice of each; `lines` everything as it is shown."""

    context: CallContext
    survey_id: str
    language: str
    owner: str
    voice: str
    voice_of: Mapping[str, str]
    tell: Tell
    course: Course = field(default_factory=Course)
    lines: list[dict[str, Any]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    expects: Expectation | None = None
    used_at: float = 0.0

    def take(self, reply: TurnReply) -> None:
        self.course.take(reply)
        heard = set(spoken_in(reply))
        for line in lines_of(reply, self.tell):
            sound = None
            if line.kind == "said" and line.text in heard:
                sound = len(self.said)
                self.said.append(line.text)
            self.lines.append({"kind": line.kind, "text": line.text, "sound": sound})
        last = next((each for each in reversed(reply.directives) if isinstance(each, Ask | Offer)), None)
        self.expects = last.expectation if isinstance(last, Ask) else YesNoExpected() if last else None

    def as_json(self) -> dict[str, Any]:
        course = self.course
        put = None if course.ended or course.handing_over else self.expects
        return {
            "talk_id": self.context.call_id,
            "survey_id": self.survey_id,
            "lines": self.lines,
            "keypad": asdict(keys_for(put, self.language)) if put is not None else None,
            "handing_over": course.handing_over,
            "disposition": course.disposition.value if course.disposition else None,
            "answers": [
                {
                    "question": question,
                    "kind": kind,
                    "value": plain_value(answer),
                    "status": answer.status.value,
                    "heard": answer.heard or answer.reason,
                }
                for question, (kind, answer) in course.answers.items()
            ],
            "signals": list(course.signals),
            "matters": list(course.matters),
        }


class DraftTalks:
    """`folder` is where the actions look for what is tried."""

    def __init__(
        self, dialogue: RasaDialogue, folder: Path, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._dialogue = dialogue
        self._folder = folder
        self._clock = clock
        self._talks: dict[str, Talk] = {}

    async def begin(
        self, survey_json: str, *, owner: str, customer: str = "", tell: Tell = words
    ) -> dict[str, Any]:
        """The first words of a survey. Raises DialogueUnavailable, BadInput, DiskFull."""
        self._clear_up()
        survey = from_json(survey_json)
        digest = survey_hash(survey)
        self._shelve(digest, survey_json)
        context = CallContext(
            call_id=new_id("call"),
            survey_hash=digest,
            direction="outbound",
            customer=Person(first_name=customer),
        )
        talk = Talk(context, survey.id, survey.language, owner, survey.voice, voices(survey, context), tell)
        talk.take(await self._dialogue.start(context))
        talk.used_at = self._clock()
        self._talks[context.call_id] = talk
        return talk.as_json()

    async def turn(self, talk_id: str, line: str, owner: str) -> dict[str, Any]:
        """One turn of the caller; any line but `!` while a handover rings is the agent's taking the call.
        Raises BadInput, DialogueUnavailable."""
        talk = self.find(talk_id, owner)
        if len(line) > LONGEST_LINE:
            raise BadInput(
                words(f"реплика длиннее {LONGEST_LINE} знаков", f"a turn has at most {LONGEST_LINE} letters")
            )
        if talk.course.ended:
            return talk.as_json()
        talk.used_at = self._clock()
        talk.lines.append({"kind": "caller", "text": line.strip(), "sound": None})
        if talk.course.handing_over and line.strip() != NOBODY:
            talk.course.joined()
            return talk.as_json()
        talk.take(await self._dialogue.turn(talk_id, turn_of(line)))
        return talk.as_json()

    def find(self, talk_id: str, owner: str) -> Talk:
        """Raises BadInput for a talk that is over, or somebody else's."""
        talk = self._talks.get(talk_id)
        if talk is None or talk.owner != owner:
            raise BadInput(
                words("этого пробного разговора уже нет", "this trial talk is no longer there"),
                hint=words("начните его снова", "begin it again"),
            )
        return talk

    def _clear_up(self) -> None:
        now = self._clock()
        old = [key for key, talk in self._talks.items() if now - talk.used_at > KEPT_S]
        by_use = sorted(self._talks, key=lambda key: self._talks[key].used_at)
        for key in {*old, *by_use[: max(0, len(by_use) - MOST_TALKS + 1)]}:
            del self._talks[key]

    def _shelve(self, digest: str, survey_json: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{digest}.json"
        if not path.exists():
            write_whole(path, survey_json.encode())
        files = sorted(self._folder.glob("*.json"), key=lambda file: file.stat().st_mtime)
        for file in files[:-KEPT_SURVEYS]:
            file.unlink(missing_ok=True)
