"""What goes wrong becomes a page that says so in the visitor's words, or JSON for a program."""

from __future__ import annotations

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from bot.core.errors import BadInput, OtklikError, TooManyTries, Unavailable
from bot.web.api.problems import answer_to, is_api, problem_of
from bot.web.language import language_of, tr
from bot.web.rendering import render
from bot.words import speaking

log = structlog.get_logger()


def words_of(request: web.Request, status: int) -> tuple[str, str]:
    """The title of a status's page, and what to do."""
    ru, en = {
        400: (
            ("Запрос не разобрать", "Вернитесь на страницу и попробуйте ещё раз."),
            ("The request makes no sense", "Go back to the page and try again."),
        ),
        401: (
            ("Нужно войти", "Войдите и повторите."),
            ("You are signed out", "Sign in and try again."),
        ),
        403: (
            ("Сюда нельзя", "Нет такого права, или страница была открыта слишком долго: обновите её."),
            ("Not allowed", "Your account may not, or the page was open for too long: reload it."),
        ),
        404: (
            ("Такой страницы нет", "Проверьте адрес."),
            ("There is no such page", "Check the address."),
        ),
        405: (
            ("Так эту страницу не открыть", "Вернитесь и воспользуйтесь кнопкой."),
            ("This page cannot be opened this way", "Go back and use the button."),
        ),
        408: (
            ("Слишком медленно", "Запрос не дошёл целиком за отведённое время. Попробуйте ещё раз."),
            ("Too slow", "The request did not arrive in time. Try again."),
        ),
        413: (
            ("Слишком много", "Столько за один раз не принять."),
            ("Too much", "So much cannot be taken at once."),
        ),
        429: (
            ("Слишком часто", "Подождите немного и попробуйте ещё раз."),
            ("Too often", "Wait a little and try again."),
        ),
        503: (
            ("Сейчас не получится", "Часть системы запускается. Попробуйте через минуту."),
            ("Not just now", "A part of the system is being started. Try again in a minute."),
        ),
    }.get(
        status,
        (
            ("Что-то сломалось", "Мы записали, что случилось. Попробуйте ещё раз."),
            ("Something broke", "We have written down what happened. Try again."),
        ),
    )  # fmt: skip
    return tr(request, ru[0], en[0]), tr(request, ru[1], en[1])


@web.middleware
async def told_kindly(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost of ours: nobody is shown a traceback, and no error's text that might hold data."""
    if is_api(request):
        return await _told_to_a_program(request, handler)
    with speaking(language_of(request)):
        return await _told_to_a_person(request, handler)


async def _told_to_a_person(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as answer:
        if answer.status < 400:
            raise
        allow = answer.headers.get("Allow")
        return _answer(request, answer.status, "http", headers={"Allow": allow} if allow else {})
    except TooManyTries as error:
        return _answer(request, 429, error.code, error, {"Retry-After": str(error.wait_s)})
    except web.RequestPayloadError:  # a body that broke off, or is not packed as it says
        return _answer(request, 400, "http")
    except OtklikError as error:
        status = 400 if isinstance(error, BadInput) else 503 if isinstance(error, Unavailable) else 500
        log.warning("request failed", code=error.code, reason=error.message)
        return _answer(request, status, error.code, error)
    except Exception:
        # The border of a request: whatever the fault, the others go on.
        log.exception("request failed")
        return _answer(request, 500, "error")


async def _told_to_a_program(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Exception as error:
        # The border of a request, as above.
        problem = problem_of(error)
        if problem.status >= 500:
            log.error("request failed", code=problem.code, exc_info=problem.status == 500)
        return answer_to(request, problem)


def _answer(
    request: web.Request,
    status: int,
    code: str,
    error: OtklikError | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    title, advice = words_of(request, status)
    if "text/html" in request.headers.get("Accept", ""):
        response = render(
            request, "error.html", {"title": title, "advice": advice, "status": status}, status=status
        )
    else:
        said = {"code": code, "message": error.message if error else title}
        if error is not None and error.hint:
            said["hint"] = error.hint
        response = web.json_response({"error": said}, status=status)
    response.headers.update(headers or {})
    return response
