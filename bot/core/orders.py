"""The parameters of an order over a control socket (`bot.core.control`), read in one way everywhere."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.core.errors import BadInput

OrderT = TypeVar("OrderT", bound=BaseModel)


class Order(BaseModel):
    """The parameters of one order; one that is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def read_order(name: str, model: type[OrderT], params: dict[str, Any]) -> OrderT:
    """Raises BadInput: where, what, and which parameters there are."""
    try:
        return model.model_validate(params)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, (name, *problem["loc"])))
        said = str(problem.get("ctx", {}).get("error", problem["msg"]))
        raise BadInput(f"{where}: {said}", hint=", ".join(model.model_fields)) from error
