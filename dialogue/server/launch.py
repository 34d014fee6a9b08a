"""Starts Rasa for Otklik: loopback only, for those alone who know the token, no telemetry, and without the
delays of its action calls.

    export DIALOGUE_TOKEN=…
    dialogue/.venv/bin/python dialogue/server/launch.py --port 5005 --actions-url URL --model FILE

Runs in Rasa's environment (Python 3.10). The process environment is set by `dialogue/launch.py`.
"""

from __future__ import annotations

import argparse
import gc
import hmac
import logging
import os
import types
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

# What is loaded stays: to look for garbage in it again and again is a seventh of the start.
gc.disable()

# Deprecations of pinned packages: nobody can act on them, and the packages undo a filter.
warnings.showwarning = lambda *_, **__: None

from loopback import stay_on_loopback  # noqa: E402

stay_on_loopback()  # before a package is imported that could call home
from without_tensorflow import do_without_tensorflow  # noqa: E402

do_without_tensorflow()

# First of all: skops, which Rasa imports, looks for the home of each type that it trusts among all modules,
# the oldest first.
import scipy.special  # noqa: E402, F401, I001

import aiohttp  # noqa: E402
import dask.core  # noqa: E402
import rasa.core.actions.forms  # noqa: E402
import rasa.core.policies.rule_policy  # noqa: E402
import rasa.core.processor  # noqa: E402
import rasa.core.run  # noqa: E402
import rasa.engine.runner.dask  # noqa: E402
from conversations import present  # noqa: E402
from jsonschema import Draft7Validator  # noqa: E402
from precedence import go_first  # noqa: E402
from rasa.core.actions.action import RemoteAction  # noqa: E402
from rasa.core.processor import MessageProcessor  # noqa: E402
from rasa.core.utils import AvailableEndpoints  # noqa: E402
from rasa.shared.core.domain import Domain  # noqa: E402
from rasa.shared.core.events import Event  # noqa: E402
from rasa.shared.core.trackers import DialogueStateTracker  # noqa: E402
from rasa.shared.utils.schemas.events import EVENT_SCHEMA  # noqa: E402
from rasa.utils.endpoints import EndpointConfig  # noqa: E402
from rasa.utils.log_utils import configure_structlog  # noqa: E402
from sanic import Sanic  # noqa: E402
from sanic.request import Request  # noqa: E402
from sanic.response import HTTPResponse, json  # noqa: E402

CONVERSATIONS = "conversations.Conversations"

TOKEN = "DIALOGUE_TOKEN"  # noqa: S105 - a name
"""As in dialogue/launch.py, which this environment cannot import."""

OPEN = frozenset(("/version",))
"""Answered to anybody: whether Rasa serves yet."""


def validate_results_quickly() -> None:
    """Validate an action's result as before, with validators that are prepared once.

    `jsonschema.validate` checks the (constant) schema itself and builds a validator anew on each
    call: 34 of the 41 ms of a turn. The schema then tries every kind of event for each event; here
    an event is held against its own kind alone.
    """
    common = {name: rule for name, rule in EVENT_SCHEMA.items() if name != "oneOf"}
    kinds = {
        kind["properties"]["event"]["const"]: Draft7Validator({**common, "allOf": [kind]})
        for kind in EVENT_SCHEMA["oneOf"]
    }
    spec = RemoteAction.action_response_format_spec()
    known = {"type": "object", "required": ["event"], "properties": {"event": {"enum": sorted(kinds)}}}
    spec["properties"]["events"] = {"type": "array", "items": known}
    whole = Draft7Validator(spec)

    def validate(_: RemoteAction, result: Any) -> bool:
        whole.validate(result)
        for event in result.get("events", ()):
            kinds[event["event"]].validate(event)
        return True

    RemoteAction._validate_action_result = validate


class ActionsEndpoint(EndpointConfig):
    """The action server over connections that stay open; the stock one opens one for each action."""

    _session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        if self._session is None:
            self._session = super().session()
        yield self._session


def resolve_events_quickly() -> None:
    """Remember the class of each type of event.

    The tracker is read anew at every turn, and Rasa walks the tree of all event classes for every
    event in it: a quarter of a turn, and more the longer a call lasts.
    """
    Event.resolve_by_type = staticmethod(lru_cache(maxsize=None)(Event.resolve_by_type))


def tell_actions_the_present() -> None:
    """Send an action the events of its turn alone: our actions look at no others.

    Rasa sends all there were, and a long call sends many times what a short one does.
    """
    whole = RemoteAction._action_call_format

    def of_this_turn(action: RemoteAction, tracker: DialogueStateTracker, domain: Domain) -> dict[str, Any]:
        call = whole(action, tracker, domain)
        call["tracker"]["events"] = present(call["tracker"]["events"])
        return call

    RemoteAction._action_call_format = of_this_turn


def run_graphs_at_once() -> None:
    """Run the model's graph node after node.

    Rasa has dask plan each run, three a turn, with queues and locks as for many threads, and runs it in one.
    """
    rasa.engine.runner.dask.dask = types.SimpleNamespace(get=dask.core.get)


def serve_only(authorization: str, *, realtime: bool) -> None:
    """Refuse (401) every request that does not bring it. With `realtime` it has precedence once it serves.

    Rasa's own `auth_token` guards its API and not the REST channel, where words come in, and is read
    from the URL, which gets into logs.
    """
    configure = rasa.core.run.configure_app

    def refuse(request: Request) -> HTTPResponse | None:
        given = request.headers.get("authorization", "")
        if request.path in OPEN or hmac.compare_digest(given.encode(), authorization.encode()):
            return None
        return json({"status": "failure", "message": "the token is missing or wrong"}, status=401)

    def settle(*_: Any) -> None:
        """What was loaded stays: a look for garbage through all of it holds every call up for 0.2 s."""
        gc.collect()
        gc.freeze()
        gc.enable()
        if realtime:
            go_first()

    def configure_guarded(*arguments: Any, **options: Any) -> Sanic:
        app = configure(*arguments, **options)
        app.register_middleware(refuse, "request")
        app.register_listener(settle, "after_server_start")
        return app

    rasa.core.run.configure_app = configure_guarded


def quieten() -> None:
    """Warnings and worse. A refused turn is told by the action server, with its reason."""
    configure_structlog(logging.WARNING)
    logging.getLogger().setLevel(logging.WARNING)
    for name in ("sanic.access", "matplotlib", "rasa.shared.utils.io"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for module in (rasa.core.processor, rasa.core.actions.forms, rasa.core.policies.rule_policy):
        # They copy events and states, whole and at each step, for debug messages, and nothing else.
        module.copy = types.SimpleNamespace(deepcopy=lambda shown: shown)
    # A message of debug with all slots, and a warning about a model of another domain than its own.
    MessageProcessor._log_slots = staticmethod(lambda _: None)
    MessageProcessor._check_for_unseen_features = lambda *_: None


def main() -> None:
    parser = argparse.ArgumentParser(prog="launch.py")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--actions-url", required=True, help="the action server's webhook")
    parser.add_argument("--model", required=True, help="the trained model, a .tar.gz")
    parser.add_argument("--realtime", action="store_true", help="before other programs, behind the lines")
    arguments = parser.parse_args()
    token = os.environ.pop(TOKEN, "")
    if not token:
        parser.error(f"{TOKEN}: the node's token is to be in the environment")
    authorization = f"Bearer {token}"
    serve_only(authorization, realtime=arguments.realtime)
    quieten()
    validate_results_quickly()
    resolve_events_quickly()
    tell_actions_the_present()
    run_graphs_at_once()
    rasa.core.run.serve_application(
        model_path=arguments.model,
        channel="rest",
        interface="127.0.0.1",
        port=arguments.port,
        enable_api=True,
        endpoints=AvailableEndpoints(
            action=ActionsEndpoint(
                arguments.actions_url,
                headers={"Authorization": authorization},
                enable_selective_domain=True,  # our actions look at no domain, and it is most of what is sent
            ),
            tracker_store=EndpointConfig(type=CONVERSATIONS),
        ),
    )


if __name__ == "__main__":
    main()
