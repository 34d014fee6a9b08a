"""`otklik agents` and `otklik cases` as a person types them: over a node's socket, and over its database
while no node runs."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.call.spool import Spool, SpoolReader
from bot.cli import agents, cases
from bot.cli.agents_csv import read_agents
from bot.cli.cases import moment
from bot.core.clock import SystemClock
from bot.core.control import ControlServer
from bot.core.errors import BadInput, NodeUnavailable
from bot.core.events import CallEvent, CaseOpened, HandoverRouted
from bot.core.routing import RouteOrder
from bot.orders_agents import AgentOrders
from bot.orders_cases import CaseOrders
from bot.settings import Settings
from bot.settings_load import as_environment, load_settings
from bot.settings_rooms import store_settings
from bot.store.database import Database
from bot.store.writer import Writer
from bot.triage.presence import LocalBoard, PresenceSettings
from bot.triage.router import LocalRouter
from tests.store.talk import Talk

CSV = """\
id;name;department;skills;sip;shift;max_live;days_off
anna;Анна Ким;support;billing,waiting;sip:anna@pbx;;2;"2026-07-01..2026-07-14; 2026-09-01"
boris;Борис;support;;sip:boris@pbx;"пн-пт 9-18; сб 10-14";1;
"""
"""As a spreadsheet on a Russian Windows saves it."""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    found = load_settings(
        var=tmp_path / "var", handover={"agents": {"responsible": "sip:last@pbx"}, "form": "bridge"}
    )
    for name, value in as_environment(found).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "200")
    return found


class Orders:
    """The orders of a node, without its calls, served by a thread: the command has a loop of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    async def _serve(self) -> None:
        settings, clock = self._settings, SystemClock()
        self._stop = asyncio.Event()
        async with Database.open(store_settings(settings)) as db:
            await db.upgrade()
            self._writer = Writer(db, SpoolReader(settings.spool_dir), clock)
            self.router = LocalRouter(
                db, LocalBoard(PresenceSettings(), clock), clock, settings.handover.agents
            )
            server = ControlServer(settings.control_socket)
            AgentOrders(db, self._writer, self.router, clock).register(server)
            CaseOrders(db, self._writer, self.router, clock).register(server)
            await server.start()
            self._ready.set()
            await self._stop.wait()
            await server.close()

    def keep(self, *events: CallEvent) -> None:
        async def spooled() -> None:
            async with Spool.open(self._settings.spool_dir, "media-1") as spool:
                for event in events:
                    await spool.commit(event)

        self.run(spooled())

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def __enter__(self) -> Orders:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        self._loop.close()


@pytest.fixture
def node(settings: Settings) -> Iterator[Orders]:
    with Orders(settings) as orders:
        yield orders


def run(app: Any, *arguments: str) -> str:
    """What it says. Raises what it raises."""
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def told(app: Any, *arguments: str) -> Any:
    return json.loads(run(app, *arguments, "--json"))


def company(tmp_path: Path) -> None:
    run(agents.app, "department", "support", "--name", "Поддержка", "--callback-hours", "4")
    file = tmp_path / "agents.csv"
    file.write_text(CSV, encoding="cp1251")
    assert "Сохранено сотрудников: 2." in run(agents.app, "import", str(file))


def test_agents_come_from_a_file_are_changed_listed_and_removed(node: Orders, tmp_path: Path) -> None:
    company(tmp_path)
    found = told(agents.app, "list")
    anna = found["agents"][0]
    assert (anna["id"], anna["skills"], anna["max_live"], len(anna["days_off"])) == (
        "anna", ["billing", "waiting"], 2, 2,
    )  # fmt: skip
    assert found["agents"][1]["shift"] == "mon-fri 09:00-18:00; sat 10:00-14:00"
    assert found["departments"][0]["callback_hours"] == 4
    run(agents.app, "set", "anna", "--max-live", "3", "--login", "anna")
    changed = told(agents.app, "list")["agents"][0]
    assert (changed["max_live"], changed["login"], changed["name"], changed["days_off"]) == (
        3, "anna", "Анна Ким", anna["days_off"],
    )  # fmt: skip
    run(agents.app, "set", "boris", "--shift", "всегда")
    assert "занят" in run(agents.app, "presence", "boris", "busy")
    page = run(agents.app, "list")
    assert [
        word
        for word in ("Поддержка", "Борис", "занят", "0/3", "4 рабочих ч", "всегда", "пн-пт 09")
        if word not in page
    ] == []
    assert "по смене" in run(agents.app, "presence", "boris", "auto")
    run(agents.app, "remove", "boris")
    assert [each["id"] for each in told(agents.app, "list")["agents"]] == ["anna", "responsible"]


@pytest.mark.parametrize(
    ("rows", "complaints"),
    [
        (
            "id,name,shift\nanna,А,\nbo ris,Б,\ncarl,В,завтра 9\n",
            [".csv:3: id: «bo ris» не годится", ".csv:4: shift: смена «завтра 9»", "строк с ошибками 2"],
        ),
        ("id,login\na,x\na,y\nb,x\n", [".csv:3: id: «a» уже был выше", ".csv:4: login: «x» уже был выше"]),
        ("id,department\na,support\nb,sales\n", [".csv:3: department: отдела «sales» нет"]),
        ("id,active,days_off\na,может,\nb,да,2026-02-30\nc,,2026-03-02..2026-03-01\n",
         [".csv:2: active: «может»", ".csv:3: days_off: «2026-02-30»: такого дня", ".csv:4: days_off:"]),
        ("id,sip,max_live\na,+7495,много\n", [".csv:2: sip: «+7495» не SIP", ".csv:2: max_live:"]),
        ("id,name\na,Б,лишнее\n", [".csv:2: в строке 3 ячеек, а столбцов 2"]),
        ("id,phone\n", [".csv:1: столбец «phone» неизвестен"]),
        ("name\nБорис\n", [".csv:1: нет столбца id"]),
        ("id,id\n", [".csv:1: столбец «id» назван дважды"]),
        ("id\n", ["сотрудников нет"]),
    ],
)  # fmt: skip
def test_a_file_with_bad_rows_is_refused_whole_with_line_and_reason(
    tmp_path: Path, rows: str, complaints: list[str]
) -> None:
    file = tmp_path / "agents.csv"
    file.write_text(rows, encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        read_agents(file, frozenset({"support"}))
    assert [each for each in complaints if each not in refused.value.message] == []


def test_a_row_is_where_it_stands_also_after_one_of_several_lines(tmp_path: Path) -> None:
    file = tmp_path / "agents.csv"
    file.write_text('id,name\na,"Анна\nКим"\n\nb b,Б\n', encoding="utf-8")
    with pytest.raises(BadInput, match=r"agents\.csv:5: id: «b b»"):
        read_agents(file)


def test_what_a_file_leaves_out_stays(node: Orders, tmp_path: Path) -> None:
    company(tmp_path)
    file = tmp_path / "more.csv"
    file.write_text("id,name,skills,fallback\nanna,Анна Ли,,2\n", encoding="utf-8")
    run(agents.app, "import", str(file))
    anna = told(agents.app, "list")["agents"][0]
    assert (anna["name"], anna["fallback"], anna["skills"], anna["sip"], len(anna["days_off"])) == (
        "Анна Ли", 2, ["billing", "waiting"], "sip:anna@pbx", 2,
    )  # fmt: skip


def test_nothing_of_a_bad_file_is_saved(node: Orders, tmp_path: Path) -> None:
    file = tmp_path / "agents.csv"
    file.write_text("id,department\nanna,\nboris,nowhere\n", encoding="utf-8")
    with pytest.raises(BadInput, match="ничего не сохранено"):
        run(agents.app, "import", str(file))
    assert [each["id"] for each in told(agents.app, "list")["agents"]] == ["responsible"]
    assert "Новых отделов: 1." in run(agents.app, "import", str(file), "--new-departments")


def unhappy(node: Orders) -> Talk:
    """A call that was routed, and left a case."""
    talk = Talk("call-1", "attempt-1", direction="inbound")
    route = node.run(node.router.route(RouteOrder(call_id="call-1", target="department:support")))
    node.keep(
        talk.started,
        talk.event(HandoverRouted, target="department:support", route=route),
        talk.event(
            CaseOpened, reason="low_score", owner_id="anna", due_at=datetime.now(UTC) - timedelta(hours=1)
        ),
    )
    return talk


def test_cases_are_listed_claimed_postponed_passed_on_and_closed(node: Orders, tmp_path: Path) -> None:
    company(tmp_path)
    unhappy(node)
    page = run(cases.app, "list", "--breached")
    assert [
        word for word in ("case-1", "79001234567", "low_score", "anna", "просрочено") if word not in page
    ] == []
    assert "взято в работу, anna" in run(cases.app, "claim", "case-1", "--by", "anna")
    with pytest.raises(BadInput, match="в работе: anna"):
        run(cases.app, "claim", "case-1", "--by", "boris")
    run(cases.app, "postpone", "case", "+2d", "--text", "просил позже")
    assert "Таких дел нет." in run(cases.app, "list", "--breached")
    assert "→ boris" in run(cases.app, "reassign", "case-1", "boris")
    run(cases.app, "note", "case-1", "не взял трубку", "--by", "boris")
    assert "вернули деньги" in run(
        cases.app, "close", "case-1", "--outcome", "вернули деньги", "--by", "boris"
    )
    shown = told(cases.app, "show", "case-1")
    assert [step["step"] for step in shown["history"]] == [
        "opened", "claimed", "postponed", "reassigned", "note", "done",
    ]  # fmt: skip
    assert told(cases.app, "list") == []
    assert [each["status"] for each in told(cases.app, "list", "--all")] == ["done"]
    with pytest.raises(BadInput, match="«case-9»: 0"):
        run(cases.app, "show", "case-9")


def test_what_only_reads_needs_no_node(settings: Settings, tmp_path: Path) -> None:
    with Orders(settings) as node:
        company(tmp_path)
        run(agents.app, "presence", "boris", "away")
        unhappy(node)
        with_node = run(agents.app, "why", "call-1")
        told(cases.app, "list")
    assert run(agents.app, "why", "call-1") == with_node
    assert [each["presence"] for each in told(agents.app, "list")["agents"]] == [None, "away", None]
    assert [each["owner_id"] for each in told(cases.app, "list")] == ["anna"]
    assert "low_score" in run(cases.app, "show", "case-1")
    for needs_one in (("remove", "anna"), ("set", "anna", "--name", "А")):
        with pytest.raises(NodeUnavailable):
            run(agents.app, *needs_one)


def test_why_this_agent_is_said_in_words(node: Orders, tmp_path: Path) -> None:
    company(tmp_path)
    run(agents.app, "set", "anna", "--shift", "всегда")
    run(agents.app, "set", "boris", "--shift", "всегда")
    run(agents.app, "presence", "boris", "busy")
    unhappy(node)
    said = run(agents.app, "why", "call-1")
    for words in (
        "искали отдел «support»",
        "1. Анна Ким (anna): из отдела, к которому относится разговор (sip:anna@pbx)",
        "2. responsible: запасной, ",
        "Не Борис (boris) (из отдела, к которому относится разговор): занят.",
        "Если никто не возьмёт, отвечает Анна Ким (anna), до ",
    ):
        assert words in said
    [row] = told(agents.app, "why", "call-1")["routes"]
    assert row["route"]["skipped"] == [{"agent_id": "boris", "step": "department", "why": "busy"}]
    with pytest.raises(BadInput, match="сотрудника не искали"):
        run(agents.app, "why", "call-9")


def test_a_new_deadline_is_said_in_a_persons_way() -> None:
    now = datetime(2026, 3, 3, 11, 0, tzinfo=UTC)
    assert moment("+3h", now) == now + timedelta(hours=3)
    assert moment("+2д", now) == now + timedelta(days=2)
    assert moment("2026-03-05T10:00+03:00", now) == datetime(2026, 3, 5, 7, 0, tzinfo=UTC)
    assert moment("2026-03-05 10:00", now).replace(tzinfo=None) == datetime(2026, 3, 5, 10, 0)  # noqa: DTZ001
    with pytest.raises(BadInput, match="«завтра» не время"):
        moment("завтра", now)
