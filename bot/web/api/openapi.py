"""The API described for tools (OpenAPI 3.1), made of the very models that read and write it."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from bot.accounts.tokens import Scope
from bot.core.requests import CallRequest
from bot.inbound.announcements import Announcement
from bot.web.api import API
from bot.web.api.models import Accepted, Announced, CallState, ProblemDetails

OPENAPI = "3.1.0"

_MODELS: list[tuple[type[BaseModel], JsonSchemaMode]] = [
    (CallRequest, "validation"),
    (Announcement, "validation"),
    (Accepted, "serialization"),
    (CallState, "serialization"),
    (Announced, "serialization"),
    (ProblemDetails, "serialization"),
]
_PROBLEMS = {
    "400": "запрос не разобрать",
    "401": "нет токена, или он не действует",
    "403": "токену это не разрешено",
    "404": "такого нет",
    "409": "этому клиенту звонить нельзя, или звонки с этим опросом остановлены",
    "413": "запрос слишком длинный",
    "415": "нужен JSON",
    "422": "в запросе ошибки, или ключ уже стоит за другим запросом",
    "429": "слишком часто",
    "503": "сейчас не получится: повторите",
}
_ALWAYS = ("400", "401", "403", "429", "503")
_WITH_A_BODY = (*_ALWAYS, "413", "415", "422")


@cache
def document(address: str) -> dict[str, Any]:
    """`address` is where the node is found."""
    _, schemas = models_json_schema(_MODELS, ref_template="#/components/schemas/{model}")
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "Otklik",
            "version": version("otklik"),
            "description": "Звонки по просьбе других систем. Otklik calls customers whom your CRM names.",
        },
        "servers": [{"url": address}],
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "otklik tokens add NAME --may calls,announcements",
                }
            },
        },
    }


def _paths() -> dict[str, Any]:
    return {
        f"{API}/calls": {
            "post": {
                "operationId": "requestCall",
                "summary": "Позвонить клиенту после разговора",
                "description": f"Право токена: {Scope.CALLS}. Звонят, когда разрешат правила.",
                "parameters": [_key(required=True)],
                "requestBody": _body(CallRequest),
                "responses": {
                    "202": _said("принят", Accepted, "Location", "Idempotent-Replayed"),
                    **_problems(*_WITH_A_BODY, "409"),
                },
            }
        },
        f"{API}/calls/{{id}}": {
            "get": {
                "operationId": "requestedCall",
                "summary": "Что стало со звонком",
                "description": f"Право токена: {Scope.CALLS}. Видны только свои.",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": _said("его состояние", CallState), **_problems(*_ALWAYS, "404")},
            }
        },
        f"{API}/announcements": {
            "post": {
                "operationId": "announce",
                "summary": "Объявить звонок, который сейчас переведут",
                "description": f"Право токена: {Scope.ANNOUNCEMENTS}. Нужно phone, called или token.",
                "parameters": [_key(required=False)],
                "requestBody": _body(Announcement),
                "responses": {
                    "201": _said("объявлен", Announced, "Idempotent-Replayed"),
                    **_problems(*_WITH_A_BODY),
                },
            }
        },
    }


def _key(*, required: bool) -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": required,
        "description": "повтор с тем же ключом и телом считается один раз",
        "schema": {"type": "string", "pattern": "^[!-~]{1,128}$", "minLength": 1, "maxLength": 128},
    }


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _body(model: type[BaseModel]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": _ref(model)}}}


def _said(description: str, model: type[BaseModel], *headers: str) -> dict[str, Any]:
    said: dict[str, Any] = {
        "description": description,
        "content": {"application/json": {"schema": _ref(model)}},
    }
    if headers:
        said["headers"] = {name: {"schema": {"type": "string"}} for name in headers}
    return said


def _problems(*statuses: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _ref(ProblemDetails)}}
    return {status: {"description": _PROBLEMS[status], "content": content} for status in sorted(statuses)}
