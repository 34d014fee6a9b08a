"""The action server: rasa_sdk's ActionExecutor behind aiohttp, one small process on loopback.

    DIALOGUE_TOKEN=… python -m dialogue.actions.server --port 5055 --surveys var/surveys

`POST /webhook` runs an action as Rasa's protocol asks: the result, `{}` for an action without one,
and 400 with `{"error", "action_name"}` where an action refuses to run; who does not bring the token
(`Authorization: Bearer`) gets 401. `GET /health` says that it serves. rasa_sdk's own server is
Sanic, which fails to start its workers and brings nothing here.
"""

from __future__ import annotations

import argparse
import hmac
import json
import logging
import os
from functools import partial
from pathlib import Path

import structlog
from aiohttp import web
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException

from bot.core.realtime import behind_the_helpers, unless_restless
from bot.surveys import morphology
from dialogue.actions.shelf import Surveys, SurveyShelf
from dialogue.actions.survey import actions
from dialogue.launch import TOKEN

MAX_BODY = 8 * 1024 * 1024
"""Bytes of a request: a tracker of a long call with all its words stays far below."""

NO_DOMAIN: dict[str, object] = {"forms": {}}
"""What the actions are shown where Rasa sends no domain: rasa_sdk insists on one, and looks in it for slots
of the form, which has none there (`ValidateSurveyForm.required_slots`)."""

_EXECUTOR = web.AppKey("executor", ActionExecutor)
_AUTHORIZATION = web.AppKey("authorization", bytes)
_json = partial(json.dumps, ensure_ascii=False, separators=(",", ":"))


def create_app(surveys: Surveys, token: str) -> web.Application:
    morphology.warm()  # half a second that no caller should wait for
    executor = ActionExecutor()
    for action in actions(surveys):
        executor.register_action(action)
    app = web.Application(client_max_size=MAX_BODY)
    app[_EXECUTOR] = executor
    app[_AUTHORIZATION] = f"Bearer {token}".encode()
    app.router.add_post("/webhook", _run)
    app.router.add_get("/health", _health)
    return app


async def _run(request: web.Request) -> web.Response:
    given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    if not hmac.compare_digest(given, request.app[_AUTHORIZATION]):
        return web.json_response({"error": "the token is missing or wrong"}, status=401)
    try:
        call = await request.json()
    except json.JSONDecodeError as error:
        return web.json_response({"error": f"not JSON: {error}"}, status=400)
    try:
        result = await request.app[_EXECUTOR].run({"domain": NO_DOMAIN, **call})
    except ActionExecutionRejection as refusal:
        body = {"error": refusal.message, "action_name": refusal.action_name}
        return web.json_response(body, status=400)
    except ActionNotFoundException as missing:
        body = {"error": missing.message, "action_name": missing.action_name}
        return web.json_response(body, status=404)
    return web.json_response(result.model_dump() if result else {}, dumps=_json)


async def _health(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


def main() -> None:
    parser = argparse.ArgumentParser(prog="dialogue.actions.server")
    parser.add_argument("--host", default="127.0.0.1", help="the address to bind (default: loopback)")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--surveys", type=Path, required=True, help="folder of published surveys")
    parser.add_argument("--realtime", action="store_true", help="before other programs, behind the lines")
    arguments = parser.parse_args()
    token = os.environ.pop(TOKEN, "")
    if not token:
        parser.error(f"{TOKEN}: Rasa's token is to be in the environment")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    logging.getLogger("rasa_sdk").setLevel(logging.WARNING)
    app = create_app(SurveyShelf(arguments.surveys), token)
    if arguments.realtime and behind_the_helpers():
        unless_restless()
    web.run_app(
        app,
        host=arguments.host,
        port=arguments.port,
        access_log=None,
        print=None,
    )


if __name__ == "__main__":
    main()
