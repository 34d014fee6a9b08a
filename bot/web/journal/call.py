"""One call: its course, its sound, its answers.

GET  /calls/CALL                    the page
GET  /calls/CALL/recording          the sound (Range requests, RFC 9110, 14)
GET  /calls/CALL/live?after=SEQ     server-sent events: `line` {"seq", "html"}, `over`
POST /calls/CALL/answers/QUESTION   {status, value, note}: put an answer right
POST /calls/CALL/topics             {topic, note, back}: put the topics right
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from aiohttp_sse import sse_response

from bot.accounts.audit import LOOK
from bot.accounts.roles import READERS
from bot.call.waits import Replied, waits
from bot.core.errors import BadInput
from bot.core.events import CallEnded, CallEvent, call_event
from bot.core.intents import Topic
from bot.reports.correcting import right, right_topics
from bot.reports.journal_names import names
from bot.reports.one_call import OneCall, one_call
from bot.reports.wording import end_pair, signal_pair, topic_pair
from bot.store.corrections import LONGEST_NOTE, SET, correct
from bot.store.tables import AttemptStatus
from bot.store.tables_corrections import CorrectionRow, Subject
from bot.web.journal.answers import shown_answers
from bot.web.journal.event_words import status_words
from bot.web.journal.shown import (
    CORRECTORS,
    JOURNAL_READERS,
    customer,
    length,
    moment,
    number_of,
)
from bot.web.journal.sound import drawn, sound_answer, sound_of
from bot.web.journal.talk import UNSURE, Course, every, recording_begins_s, rows
from bot.web.journal.timeline import HEIGHT, WIDTH, timeline
from bot.web.language import language_of
from bot.web.masking import sees_numbers
from bot.web.parts import parts_of
from bot.web.rendering import TEMPLATES, render
from bot.web.streams import PING_S, messages_for
from bot.web.who import COOKIE, account_of, address_of, allowed, noted, noted_once

routes = web.RouteTableDef()

RECHECK_S = 60.0
STAGES = (
    ("endpointing_ms", ("конец реплики", "endpointing")),
    ("recognition_ms", ("распознавание", "recognition")),
    ("dialogue_ms", ("диалог", "dialogue")),
    ("first_audio_ms", ("первый звук", "first audio")),
)


async def _found(request: web.Request) -> OneCall:
    """Raises HTTPNotFound."""
    found = await one_call(parts_of(request).db, request.match_info["call_id"])
    if found is None:
        raise web.HTTPNotFound
    return found


@routes.get("/calls/{call_id}")
@allowed(*JOURNAL_READERS)
async def page(request: web.Request) -> web.StreamResponse:
    return await _page(request, await _found(request))


async def _page(
    request: web.Request, found: OneCall, problem: BadInput | None = None, at: str = ""
) -> web.StreamResponse:
    """`at` is the part of the page that the problem is about."""
    parts, role = parts_of(request), account_of(request).role
    attempt, numbers, listens = found.call.attempt, sees_numbers(role), role in READERS
    await noted(request, LOOK, "call", attempt.call_id or "")
    zone = ZoneInfo(parts.settings.timezone)
    sound, locked = await asyncio.to_thread(drawn, parts, attempt) if listens else (None, None)
    course = rows(found.events)
    begins_s = recording_begins_s(found.events)
    live = attempt.status != AttemptStatus.FINAL
    values = {
        "found": found,
        "attempt": attempt,
        "live": live,
        "last_seq": found.events[-1].seq if found.events else -1,
        "customer": customer(found.call.contact),
        "number": number_of(attempt, whole=numbers),
        "end": end_pair(attempt.disposition),
        "at": moment(attempt.created_at, zone, "%d.%m.%Y %H:%M:%S"),
        "length": length(attempt.duration_s),
        "rows": course,
        "every": every(found.events, numbers=numbers),
        "picture": timeline(course, sound, begins_s),
        "width": WIDTH,
        "height": HEIGHT,
        "sound": sound is not None,
        "locked": locked,
        "may_listen": listens,
        "begins_s": begins_s,
        "answers": shown_answers(found),
        "replies": [each.measured for each in waits(found.events) if isinstance(each, Replied)],
        "stages": STAGES,
        "names": await names(parts.db),
        "topics": {topic.value: topic_pair(topic) for topic in Topic},
        "may_correct": role in CORRECTORS and not live,
        "may_see_cases": role in READERS,
        "longest_note": LONGEST_NOTE,
        "problem": problem,
        "problem_at": at,
        **helpers(zone),
    }
    return render(request, "journal/call.html", values, status=400 if problem else 200)


def helpers(zone: ZoneInfo) -> dict[str, Any]:
    """What templates of this room need to show a value."""
    return {
        "moment": lambda at, form="%d.%m.%Y %H:%M": moment(at, zone, form),
        "long": length,
        "unsure": UNSURE,
        "status_words": status_words,
        "topic_pair": topic_pair,
        "signal_pair": signal_pair,
        "zone": zone.key,
    }


# The sound --------------------------------------------------------------------------------------


@routes.get("/calls/{call_id}/recording")
@allowed(*READERS)
async def recording(request: web.Request) -> web.StreamResponse:
    """Raises HTTPNotFound where there is no sound."""
    parts, found = parts_of(request), await _found(request)
    file = await asyncio.to_thread(sound_of, parts, found.call.attempt)
    if file is None:
        raise web.HTTPNotFound
    call_id = found.call.attempt.call_id or ""
    await noted_once(request, "listen", "recording", call_id)
    return await sound_answer(request, file, parts.settings.recording_keys)


# While it goes on -------------------------------------------------------------------------------


@dataclass(slots=True)
class _Told:
    """What a page has of the call already."""

    course: Course
    seq: int


@routes.get("/calls/{call_id}/live")
@allowed(*JOURNAL_READERS)
async def live(request: web.Request) -> web.StreamResponse:
    """First what was stored since the page was made, then what comes; a browser that was cut off says what it
    had last (`Last-Event-ID`)."""
    parts, token = parts_of(request), request.cookies[COOKIE]
    call_id = request.match_info["call_id"]
    asked = request.headers.get("Last-Event-ID") or request.query.get("after", "-1")
    try:
        told = _Told(Course(), int(asked))
    except ValueError as error:
        raise BadInput(f"after: «{asked}»", hint="0") from error

    async def lives() -> bool:
        return await parts.sessions.find(token) is not None

    with parts.live.of_call(call_id, account_of(request).id) as listener:
        stored = (await parts.control("events", call_id=call_id))["events"]
        if not stored:
            raise web.HTTPNotFound
        await noted_once(request, LOOK, "call", call_id)  # its page was, but a stream can be had without it
        async with sse_response(request, ping_interval=PING_S) as stream:
            for event in stored:
                await _send(request, stream, call_event.validate_python(event), told)
            async for message in messages_for(stream, listener, recheck_s=RECHECK_S, still=lives):
                await _send(request, stream, call_event.validate_json(message.data), told)
    return stream


async def _send(request: web.Request, stream: Any, event: CallEvent, told: _Told) -> None:
    row = told.course.take(event)
    if event.seq <= told.seq:
        return
    told.seq = event.seq
    if row is not None:
        language, zone = language_of(request), ZoneInfo(parts_of(request).settings.timezone)
        template = request.config_dict[TEMPLATES].get_template("journal/line.html")
        html = template.render(
            row=row,
            begins_s=None,
            t=lambda russian, english: english if language == "en" else russian,
            **helpers(zone),
        )
        data = json.dumps({"seq": event.seq, "html": html}, ensure_ascii=False)
        await stream.send(data, event="line", id=str(event.seq))
    if isinstance(event, CallEnded):
        await stream.send("", event="over", id=str(event.seq))


# Putting right ----------------------------------------------------------------------------------


@routes.post("/calls/{call_id}/answers/{question_id}")
@allowed(*CORRECTORS)
async def correct_answer(request: web.Request) -> web.StreamResponse:
    found, form = await _found(request), await request.post()
    question_id = request.match_info["question_id"]
    values = [value for value in form.getall("value", ()) if isinstance(value, str)]
    try:
        asked = found.question(question_id)
        is_right = right(asked, str(form.get("status", "")), values)
        row = CorrectionRow(
            subject=Subject.ANSWER,
            question_id=question_id,
            kind=asked.kind,
            status=is_right.status,
            value=is_right.value,
            number=is_right.number,
            **_by(request, form),
        )
        await _corrected(request, row, question=question_id, status=is_right.status or "as recorded")
    except BadInput as error:
        return await _page(request, found, error, f"answer-{question_id}")
    return _back(request, f"answer-{question_id}")


@routes.post("/calls/{call_id}/topics")
@allowed(*CORRECTORS)
async def correct_topics(request: web.Request) -> web.StreamResponse:
    found, form = await _found(request), await request.post()
    topics = [value for value in form.getall("topic", ()) if isinstance(value, str)]
    back = form.get("back") == "1"
    try:
        row = CorrectionRow(
            subject=Subject.TOPICS,
            status="" if back else SET,
            value=None if back else right_topics(topics),
            **_by(request, form),
        )
        await _corrected(request, row, topics=row.value if row.value is not None else "as recorded")
    except BadInput as error:
        return await _page(request, found, error, "topics")
    return _back(request, "topics")


def _by(request: web.Request, form: Any) -> dict[str, Any]:
    return {
        "call_id": request.match_info["call_id"],
        "note": str(form.get("note", "")).strip(),
        "login": account_of(request).login,
        "at": parts_of(request).clock.now(),
    }


async def _corrected(request: web.Request, row: CorrectionRow, **details: Any) -> None:
    """With its line in the audit log, or not at all. Raises BadInput."""
    parts = parts_of(request)
    entry = parts.audit.entry(
        account_of(request), address_of(request), "correct", "call", row.call_id, details
    )
    await correct(parts.db, row, entry)


def _back(request: web.Request, part: str) -> web.Response:
    where = f"/calls/{request.match_info['call_id']}#{part}"
    return web.Response(status=303, headers={"Location": where})
