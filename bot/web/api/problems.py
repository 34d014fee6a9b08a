"""What goes wrong, as a program and its maker can read it: Problem Details (RFC 9457), in the language that
`Accept-Language` asks for, with a `code` that never changes and a `hint` that says what would be right."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.core.errors import (
    BadInput,
    KeyReused,
    NumberBlocked,
    OtklikError,
    RequestsStopped,
    SurveyInvalid,
    TooManyTries,
    ZoneUnknown,
)
from bot.core.errors import Unavailable as UnavailableError
from bot.web.api import API
from bot.web.language import asked_for

Said = tuple[str, str]
"""In Russian and in English."""

MEDIA_TYPE = "application/problem+json"
AGAIN_S = 30
"""Seconds after which something that is not there may be back."""


@dataclass(eq=False)
class Problem(Exception):
    """Raised by a handler; `errors` are the fields that will not do."""

    status: int
    code: str
    title: Said
    detail: Said
    hint: Said = ("", "")
    errors: Sequence[tuple[str, Said]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def is_api(request: web.Request) -> bool:
    return request.path == API or request.path.startswith(f"{API}/")


def answer_to(request: web.Request, problem: Problem) -> web.Response:
    english = asked_for(request.headers.get("Accept-Language", "")) == "en"

    def say(said: Said) -> str:
        return said[1] if english else said[0]

    body: dict[str, Any] = {
        "type": f"urn:otklik:problem:{problem.code}",
        "title": say(problem.title),
        "status": problem.status,
        "detail": say(problem.detail),
        "code": problem.code,
    }
    if problem.hint[0]:
        body["hint"] = say(problem.hint)
    if problem.errors:
        body["errors"] = [{"pointer": pointer, "detail": say(said)} for pointer, said in problem.errors]
    headers = {"Content-Language": "en" if english else "ru", "Vary": "Accept-Language", **problem.headers}
    text = json.dumps(body, ensure_ascii=False)
    return web.json_response(text=text, status=problem.status, content_type=MEDIA_TYPE, headers=headers)


REFUSED: Said = ("Так нельзя", "This cannot be done")
UNREADABLE: Said = ("Запрос не разобрать", "The request makes no sense")
INVALID: Said = ("В запросе ошибки", "The request has mistakes")


def problem_of(error: Exception) -> Problem:
    """What anything that a handler raised is to its caller; no text of an unforeseen error is shown."""
    match error:
        case Problem():
            return error
        case web.HTTPException():
            return _of_http(error)
        case web.RequestPayloadError():  # a body that broke off, or is not packed as it says
            return _of_http(web.HTTPBadRequest())
        case NumberBlocked():
            return Problem(
                409,
                error.code,
                REFUSED,
                ("этот клиент просил ему не звонить", "this customer asked not to be called"),
                ("больше не присылайте его", "do not send him again"),
            )
        case ZoneUnknown():
            return Problem(
                422,
                error.code,
                REFUSED,
                (
                    "часовой пояс клиента неизвестен, а без него не звонят",
                    "the customer's time zone is not known, and nobody is called without one",
                ),
                ("пришлите timezone, как Asia/Omsk", "send timezone, such as Asia/Omsk"),
                errors=[("#/timezone", ("по этому номеру его не узнать", "this number does not tell it"))],
            )
        case RequestsStopped():
            return Problem(
                409,
                error.code,
                REFUSED,
                ("звонки с этим опросом остановлены", "calls with this survey were stopped"),
                (
                    "пусть администратор создаст новую: otklik campaign create ФАЙЛ --standing",
                    "let operations make a new one: otklik campaign create FILE --standing",
                ),
            )
        case KeyReused():
            return Problem(
                422,
                error.code,
                REFUSED,
                (
                    "этот Idempotency-Key уже стоит за другим запросом",
                    "this Idempotency-Key stands for another request already",
                ),
                ("новому запросу дайте новый ключ", "give a new request a new key"),
            )
        case SurveyInvalid():
            both = (error.message, error.message), (error.hint, error.hint)
            return Problem(422, error.code, REFUSED, *both)
        case TooManyTries():
            return too_often(error.wait_s)
        case UnavailableError():
            return Problem(
                503,
                error.code,
                ("Сейчас не получится", "Not just now"),
                (error.message, error.message),
                ("повторите с тем же ключом", "try again with the same key"),
                headers={"Retry-After": str(AGAIN_S)},
            )
        case BadInput():
            both = (error.message, error.message), (error.hint, error.hint)
            return Problem(422, error.code, REFUSED, *both)
        case _:
            code = error.code if isinstance(error, OtklikError) else "error"
            return Problem(
                500,
                code,
                ("Что-то сломалось", "Something broke"),
                ("мы записали, что случилось", "we have written down what happened"),
                ("повторите с тем же ключом", "try again with the same key"),
            )


def too_often(wait_s: int) -> Problem:
    return Problem(
        429,
        "too_many_tries",
        ("Слишком часто", "Too often"),
        (f"следующий запрос через {wait_s} с", f"the next request in {wait_s} s"),
        headers={"Retry-After": str(wait_s)},
    )


def _of_http(error: web.HTTPException) -> Problem:
    allow = error.headers.get("Allow", "")
    match error.status:
        case 404:
            return Problem(
                404,
                "not_found",
                ("Такого адреса нет", "There is no such address"),
                ("по этому адресу ничего нет", "there is nothing at this address"),
                (f"что есть: {API}/openapi.json", f"what there is: {API}/openapi.json"),
            )
        case 405:
            return Problem(
                405,
                "method_not_allowed",
                ("Так сюда не обращаются", "Not by this method"),
                (f"можно {allow}", f"allowed: {allow}"),
                headers={"Allow": allow},
            )
        case 413:
            return too_large()
        case _:
            said = (str(error.reason), str(error.reason))
            return Problem(error.status, "http", UNREADABLE, said)


def too_large(most: int | None = None) -> Problem:
    bound = (f", можно {most} байт", f", {most} bytes are allowed") if most else ("", "")
    return Problem(
        413,
        "too_large",
        ("Слишком много", "Too much"),
        (f"запрос слишком длинный{bound[0]}", f"the request is too long{bound[1]}"),
    )


def invalid(error: ValidationError) -> Problem:
    """Each field by its JSON Pointer (RFC 6901), and what is wrong with it."""
    found = [(_pointer(each), _problem(each)) for each in error.errors(include_input=False)]
    return Problem(
        422,
        "invalid",
        INVALID,
        (f"не подходит: {_names(found)}", f"will not do: {_names(found)}"),
        (f"поля описаны в {API}/openapi.json", f"the fields are described in {API}/openapi.json"),
        errors=found,
    )


def unkept() -> Problem:
    """Of a text with a character that no database holds (`bot.core.texts.can_be_kept`)."""
    return Problem(
        422,
        "invalid",
        INVALID,
        (
            "в тексте U+0000 или половина суррогатной пары: в текстах их не бывает",
            "a text has U+0000 or half a surrogate pair: no text has",
        ),
    )


def _names(found: Sequence[tuple[str, Said]]) -> str:
    return ", ".join(pointer.removeprefix("#/") or "#" for pointer, _ in found)


def _pointer(error: ErrorDetails) -> str:
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in error["loc"]]
    return "/".join(["#", *parts]) if parts else "#"


def _problem(error: ErrorDetails) -> Said:
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return "этого не хватает", "this is missing"
        case "extra_forbidden":
            return "такого поля нет", "there is no such field"
        case "string_type":
            return "нужна строка", "a string is needed"
        case "string_too_long":
            most = context.get("max_length")
            return f"можно не больше {most} знаков", f"at most {most} characters"
        case "string_too_short":
            return "не может быть пустым", "must not be empty"
        case "int_type" | "int_parsing" | "int_from_float":
            return "нужно целое число", "an integer is needed"
        case "greater_than_equal":
            return f"нужно не меньше {context.get('ge')}", f"at least {context.get('ge')}"
        case "less_than_equal":
            return f"нужно не больше {context.get('le')}", f"at most {context.get('le')}"
        case "timezone_aware":
            return (
                "у времени нет пояса: нужно как 2026-12-01T10:00:00+03:00",
                "the time has no zone: such as 2026-12-01T10:00:00+03:00",
            )
        case kind if kind.startswith("datetime") or kind.startswith("date_"):
            return "нужно время, как 2026-12-01T10:00:00+03:00", "a time, such as 2026-12-01T10:00:00+03:00"
        case "model_type" | "model_attributes_type" | "dict_type":
            return "нужен объект", "an object is needed"
        case _:
            return error["msg"], str(context.get("en", error["msg"]))
