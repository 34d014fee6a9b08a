from __future__ import annotations

from datetime import date

import pytest

from bot.core.context import Person
from bot.core.errors import BadInput
from bot.store import agents, attempts
from bot.store.agents import StaffChange
from bot.store.attempts import NewCall
from bot.store.database import Database
from bot.store.tables_agents import AgentRow, DaysOffRow, DepartmentRow
from tests.store.talk import START


async def ids(db: Database) -> list[str]:
    return [row.id for row in (await agents.staff(db)).agents]


async def test_what_is_saved_comes_back_and_replaces_what_was(db: Database) -> None:
    holiday = DaysOffRow(agent_id="petrov", first=date(2026, 7, 1), last=date(2026, 7, 14), note="отпуск")
    petrov = AgentRow(id="petrov", name="Пётр Петров", department="support", skills="billing,waiting")
    support = DepartmentRow(id="support", name="Поддержка", hours="mon-fri 09:00-18:00", callback_hours=4.0)
    await agents.save(db, StaffChange([petrov], [support], {"petrov": [holiday]}))
    found = await agents.staff(db)
    assert (list(found.agents), list(found.departments), list(found.days_off)) == (
        [petrov], [support], [holiday],
    )  # fmt: skip
    await agents.save(db, StaffChange([AgentRow(id="petrov", name="П. Петров")], days_off={"petrov": []}))
    found = await agents.staff(db)
    assert [(row.name, row.department) for row in found.agents] == [("П. Петров", "")]
    assert found.days_off == []


async def test_what_an_agent_chose_outlives_a_change_of_his_row(db: Database) -> None:
    await agents.save(db, StaffChange([AgentRow(id="petrov")]))
    assert await agents.choose_presence(db, "petrov", "away")
    assert not await agents.choose_presence(db, "nobody", "away")
    await agents.save(db, StaffChange([AgentRow(id="petrov", name="Пётр")]))
    [row] = (await agents.staff(db)).agents
    assert (row.name, row.presence) == ("Пётр", "away")


async def test_one_name_at_the_desk_is_one_agents_and_nothing_is_half_saved(db: Database) -> None:
    await agents.save(db, StaffChange([AgentRow(id="a", login="anna"), AgentRow(id="b", login="boris")]))
    with pytest.raises(BadInput, match="«anna» у двух"):
        await agents.save(db, StaffChange([AgentRow(id="new"), AgentRow(id="c", login="anna")]))
    with pytest.raises(BadInput, match="«carl» у двух"):
        await agents.save(db, StaffChange([AgentRow(id="c", login="carl"), AgentRow(id="d", login="carl")]))
    assert await ids(db) == ["a", "b"]
    await agents.save(db, StaffChange([AgentRow(id="a", login="boris"), AgentRow(id="b", login="anna")]))
    assert [row.login for row in (await agents.staff(db)).agents] == ["boris", "anna"]


async def test_who_has_customers_leaves_them_to_somebody(db: Database) -> None:
    await agents.save(db, StaffChange([AgentRow(id="a"), AgentRow(id="b")]))
    call = NewCall("sip:+79001234567@trunk", "nps", "hash-1", Person(id="customer-1"))
    await attempts.queue_call(db, call, START)
    assert await agents.set_manager(db, "customer-1", "a")
    assert not await agents.set_manager(db, "customer-2", "a")
    assert await agents.manager_of(db, "customer-1") == "a"
    assert await agents.manager_of(db, "") == ""
    with pytest.raises(BadInput, match="клиентов 1"):
        await agents.remove(db, "a")
    with pytest.raises(BadInput, match="«nobody» нет"):
        await agents.remove(db, "a", "nobody")
    with pytest.raises(BadInput, match="«c» нет"):
        await agents.remove(db, "c")
    await agents.remove(db, "a", "b")
    assert await ids(db) == ["b"]
    assert await agents.manager_of(db, "customer-1") == "b"
