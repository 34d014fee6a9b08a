"""Orders about surveys that are being written: the pages give them (bot/web/studio), control does the work.

survey_check    {text, thorough}                    -> {"problems", "survey"}
survey_compare  {a, b, language}                    -> what changed between two versions, published JSON
survey_publish  {survey, revision, login}           -> the publication, which goes on
survey_go_back  {survey, hash, login}               -> the same
survey_progress {survey, forget}                    -> {"publication": … or null}
survey_try      {json, owner, customer, language}   -> a talk by keyboard
survey_turn     {talk, line, owner}                 -> the talk after one turn
survey_tried    {talk, owner}                       -> the talk as it is
survey_sound    {talk, number, owner}               -> {"wav": base64}
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any, Literal

import aiohttp
from pydantic import Base64Bytes, Field

from bot.call.dialogue import RasaDialogue
from bot.core.clock import Clock
from bot.core.control import ControlServer
from bot.core.errors import BadInput
from bot.core.orders import Order, read_order
from bot.draft_checks import DraftChecks
from bot.draft_publishing import DraftPublishing
from bot.draft_talks import DraftTalks
from bot.published import Published, published_dir, recordings_dir
from bot.publishing import Publisher
from bot.settings import Settings
from bot.settings_rooms import speech_settings
from bot.speech.prompts import PromptCache, encode
from bot.speech.recorded import RecordedVoices
from bot.speech.synthesiser import SynthesiserClient
from bot.store.database import Database
from bot.surveys.loader import from_json
from bot.words import words
from dialogue.actions.shelf import DRAFTS

SURVEY_ORDERS = (
    "survey_check",
    "survey_compare",
    "survey_publish",
    "survey_go_back",
    "survey_progress",
    "survey_try",
    "survey_turn",
    "survey_tried",
    "survey_sound",
    "survey_hear",
)

TALK_TIMEOUT_S = 10.0
"""For one try of a turn; nobody waits on a line, and calls that do go first."""

SOUND_RATE = 8000
"""As it is heard on a telephone, and as a publication needs it."""


LONGEST_SOUND = 15 * 2 * 8000
"""In bytes: 15 s, at which the page stops to listen; nothing behind it is heard."""


class CheckOrder(Order):
    text: str
    thorough: bool = True


class CompareOrder(Order):
    a: str
    b: str
    language: Literal["ru", "en"] = "ru"


class PublishOrder(Order):
    survey: str
    revision: int
    login: str


class GoBackOrder(Order):
    survey: str
    hash: str
    login: str


class ProgressOrder(Order):
    """`forget`: what is over was read, and is not told again."""

    survey: str
    forget: bool = False


class TryOrder(Order):
    json_: str = Field(alias="json")
    owner: str
    customer: str = Field("", max_length=100)
    language: Literal["ru", "en"] = "ru"


class TurnOrder(Order):
    talk: str
    line: str
    owner: str


class TriedOrder(Order):
    talk: str
    owner: str


class SoundOrder(Order):
    talk: str
    number: int = Field(ge=0)
    owner: str


class HearOrder(Order):
    talk: str
    pcm: Base64Bytes
    owner: str


class SurveyOrders:
    """The handlers, and what they need while they are open: `async with SurveyOrders(…) as orders`.
    Rasa knows the node by `token`."""

    def __init__(
        self,
        settings: Settings,
        published: Published,
        publisher: Publisher,
        db: Database,
        clock: Clock,
        token: str,
    ) -> None:
        self._settings = settings
        self._token = token
        self._publisher = publisher
        self._checks = DraftChecks(settings)
        self._publishing = DraftPublishing(settings, published, publisher, db, self._checks, clock)
        self._speech = speech_settings(settings)
        self._synthesiser = SynthesiserClient(self._speech.synthesiser)

    async def __aenter__(self) -> SurveyOrders:
        self._http = aiohttp.ClientSession()
        rasa = f"http://127.0.0.1:{self._settings.dialogue.rasa_port}"
        dialogue = RasaDialogue(rasa, self._http, token=self._token, timeout_s=TALK_TIMEOUT_S)
        self._talks = DraftTalks(dialogue, published_dir(self._settings) / DRAFTS)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._publishing.close()
        await self._checks.close()
        await self._synthesiser.close()
        await self._http.close()

    def register(self, server: ControlServer) -> None:
        handlers = (
            self._check,
            self._compare,
            self._publish,
            self._go_back,
            self._progress,
            self._try,
            self._turn,
            self._tried,
            self._sound,
            self._hear,
        )
        for name, handler in zip(SURVEY_ORDERS, handlers, strict=True):
            server.register(name, handler)

    async def _check(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("survey_check", CheckOrder, params)
        return await self._checks.check(order.text, thorough=order.thorough)

    async def _compare(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("survey_compare", CompareOrder, params)
        return await self._checks.compare(order.a, order.b, order.language)

    async def _publish(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("survey_publish", PublishOrder, params)
        begun = await self._publishing.publish(order.survey, order.revision, order.login)
        return {"publication": begun.as_json()}

    async def _go_back(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("survey_go_back", GoBackOrder, params)
        begun = await self._publishing.go_back(order.survey, order.hash, order.login)
        return {"publication": begun.as_json()}

    async def _progress(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("survey_progress", ProgressOrder, params)
        last = self._publishing.last(order.survey)
        if order.forget:
            self._publishing.forget(order.survey)
        return {"publication": last.as_json() if last is not None else None}

    async def _try(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("survey_try", TryOrder, params)
        survey = from_json(order.json_)
        await asyncio.to_thread(self._publisher.keep_recordings, survey, self._settings.surveys_dir)

        def tell(russian: str, english: str) -> str:
            return english if order.language == "en" else russian

        return await self._talks.begin(order.json_, owner=order.owner, customer=order.customer, tell=tell)

    async def _turn(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("survey_turn", TurnOrder, params)
        return await self._talks.turn(order.talk, order.line, order.owner)

    async def _tried(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("survey_tried", TriedOrder, params)
        return self._talks.find(order.talk, order.owner).as_json()

    async def _sound(self, params: dict[str, Any]) -> dict[str, Any]:
        """What the bot said, as a call would play it."""
        order = read_order("survey_sound", SoundOrder, params)
        talk = self._talks.find(order.talk, order.owner)
        if order.number >= len(talk.said):
            raise BadInput(words("этого бот не говорил", "the bot did not say that"))
        text = talk.said[order.number]
        cache = PromptCache(
            RecordedVoices(self._synthesiser, recordings_dir(self._settings), self._speech.synthesiser),
            self._speech.prompts,
        )
        voice = talk.voice_of.get(text, talk.voice)
        await cache.prepare((text,), voice=voice, language=talk.language, rate=SOUND_RATE)
        pcm = await cache.get(text, voice=voice, language=talk.language, rate=SOUND_RATE)
        return {"wav": base64.b64encode(encode(pcm)).decode()}

    async def _hear(self, params: dict[str, Any]) -> dict[str, Any]:
        """What somebody said into the page's microphone; a turn is made of it only when he sends it."""
        order = read_order("survey_hear", HearOrder, params)
        talk = self._talks.find(order.talk, order.owner)
        whole = min(len(order.pcm), LONGEST_SOUND) // 2 * 2
        return {"text": await self._checks.hear(order.pcm[:whole], talk.language)}
