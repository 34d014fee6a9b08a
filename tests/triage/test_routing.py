"""Whom to ring: the cases by hand, and what holds whatever the directory looks like."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.intents import Topic
from bot.core.routing import PassedOver, RouteOrder, RouteStep
from bot.triage.directory import Agent, DaysOff, Department, Directory, Live, Presence, PresenceState
from bot.triage.routing import route
from bot.triage.shifts import ALWAYS, parse_shift
from bot.triage.working_days import on_shift

MOSCOW = ZoneInfo("Europe/Moscow")

AWAY, BUSY, OFFLINE = (Presence(PresenceState(state)) for state in ("away", "busy", "offline"))
AT_DESK = Presence(PresenceState.AVAILABLE, desk=True)


def moscow(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=MOSCOW)


TUESDAY = moscow("2026-03-03T11:00")
"""An ordinary working day."""


def agent(agent_id: str, **fields: object) -> Agent:
    base = Agent(agent_id, sip=f"sip:{agent_id}@pbx", department="support")
    return replace(base, **fields)  # type: ignore[arg-type]


MANAGER = agent("manager", department="sales")
ANNA, BORIS = agent("anna"), agent("boris")
BILLER = agent("biller", department="money", skills=frozenset({"billing"}))
LAST = agent("last", department="", fallback=1, shift=ALWAYS)
EVERYBODY = (MANAGER, ANNA, BORIS, BILLER, LAST)


@dataclass(frozen=True)
class Case:
    """What routing is asked, and what it must say: `rung` as `agent/step`, `passed` as `agent: reason`."""

    rung: str
    passed: str = ""
    agents: tuple[Agent, ...] = EVERYBODY
    departments: tuple[Department, ...] = (Department("support"),)
    order: dict[str, object] = field(default_factory=dict)
    managers: dict[str, str] = field(default_factory=lambda: {"customer": "manager"})
    presences: dict[str, Presence] = field(default_factory=dict)
    live: Live = field(default_factory=dict)
    days_off: tuple[DaysOff, ...] = ()
    now: datetime = TUESDAY
    owner: str = "manager"
    due: str = "2026-03-04T18:00"


def without(gone: str, **fields: object) -> tuple[Agent, ...]:
    """Everybody, with one of them otherwise."""
    return tuple(replace(each, **fields) if each.id == gone else each for each in EVERYBODY)  # type: ignore[arg-type]


REST = "anna/department boris/department biller/skill last/fallback"
CHAIN = f"manager/owner {REST}"
MARCH_8 = moscow("2026-03-09T11:00")
"""A Monday to which the holiday of Sunday, March 8 was transferred."""

CASES = {
    "the whole chain, in order": Case(CHAIN),
    "owner away": Case(REST, "manager: away", presences={"manager": AWAY}),
    "owner signed out": Case(REST, "manager: away", presences={"manager": OFFLINE}),
    "owner busy": Case(REST, "manager: busy", presences={"manager": BUSY}),
    "owner off shift": Case(
        REST, "manager: off_shift", agents=without("manager", shift=parse_shift("mon-fri 12:00-20:00")),
        due="2026-03-04T20:00",
    ),
    "owner on leave for a fortnight leaves the matter to the next": Case(
        REST, "manager: holiday", owner="anna",
        agents=without("manager", days_off=(DaysOff(date(2026, 3, 2), date(2026, 3, 15)),)),
    ),
    "owner dismissed": Case(REST, "manager: inactive", agents=without("manager", active=False), owner="anna"),
    "owner not in the table": Case(
        REST, "gone: unknown", managers={"customer": "gone"}, owner="anna",
    ),
    "owner without telephone and desk": Case(
        REST, "manager: no_address", agents=without("manager", sip=""),
    ),
    "owner at his limit": Case(REST, "manager: at_limit", live={"manager": 1}),
    "no manager: who had the talk is the owner": Case(
        "boris/owner anna/department biller/skill last/fallback",
        managers={}, order={"agent_id": "boris"}, owner="boris",
    ),
    "the department is the owner's where the call names none": Case(
        "anna/owner boris/department biller/skill last/fallback",
        managers={}, order={"agent_id": "anna", "department": ""}, owner="anna",
    ),
    "nobody knows the caller": Case(
        "biller/skill last/fallback", managers={}, order={"department": ""}, owner="biller",
    ),
    "a department's limit": Case(
        "manager/owner biller/skill last/fallback", "boris: at_limit, anna: at_limit",
        departments=(Department("support", max_live=2),),
        agents=without("anna", max_live=5), live={"anna": 2},
    ),
    "of two equal agents the least busy, then the lower id": Case(
        "manager/owner boris/department anna/department biller/skill last/fallback",
        agents=without("anna", max_live=3), live={"anna": 1},
    ),
    "whoever speaks the language first": Case(
        "manager/owner boris/department anna/department biller/skill last/fallback",
        agents=without("boris", languages=frozenset({"ru", "en"})), order={"language": "en"},
    ),
    "the target is a department": Case(
        "biller/department last/fallback", order={"target": "department:money"}, owner="biller",
    ),
    "the target is a department that is not there": Case(
        "biller/skill last/fallback", order={"target": "department:none"}, owner="biller",
    ),
    "the target is a skill": Case(
        "biller/skill last/fallback", order={"target": "skill:billing", "topic": None}, owner="biller",
    ),
    "the target is an agent": Case("boris/named", order={"target": "boris"}, owner="boris"),
    "the target is nobody in the table": Case("", "evil: unknown", order={"target": "evil"}, owner="last",
                                              due="2026-03-05T00:00"),
    "an open desk rings the browser, and no mailbox answers there": Case(
        CHAIN, presences={"anna": AT_DESK},
    ),
    "an agent with a desk alone, and it is closed": Case(
        "manager/owner boris/department biller/skill last/fallback", "anna: no_address",
        agents=without("anna", sip=""),
    ),
    "a public holiday": Case(
        "last/fallback", "manager: holiday, anna: holiday, boris: holiday, biller: holiday",
        now=MARCH_8, due="2026-03-10T18:00",
    ),
    "everybody's own day off": Case(
        "last/fallback", "manager: holiday, anna: holiday, boris: holiday, biller: holiday",
        days_off=(DaysOff(date(2026, 3, 3), date(2026, 3, 3), "переезд"),),
    ),
    "a Saturday that is officially worked": Case(
        CHAIN, now=moscow("2024-04-27T11:00"), due="2024-05-02T18:00",
    ),
    "an ordinary Saturday": Case(
        "last/fallback", "manager: off_shift, anna: off_shift, boris: off_shift, biller: off_shift",
        now=moscow("2026-03-14T11:00"), due="2026-03-16T18:00",
    ),
    "the new year's holidays: who works soonest has the matter": Case(
        "last/fallback", "manager: holiday, anna: holiday, boris: holiday, biller: holiday",
        now=moscow("2026-01-01T11:00"), owner="last", due="2026-01-03T00:00",
    ),
    "so many working hours, over the night and the weekend": Case(
        CHAIN, now=moscow("2026-03-13T15:00"), due="2026-03-16T11:00",
        departments=(Department("support"), Department("sales", callback_hours=5)),
    ),
    "nobody at all": Case(
        "", "manager: away, anna: away, boris: busy, biller: at_limit, last: away",
        presences={"manager": AWAY, "anna": AWAY, "boris": BUSY, "last": OFFLINE}, live={"biller": 1},
    ),
    "an empty table": Case("", "manager: unknown", agents=(), owner="", due=""),
    "nobody active": Case(
        "", "manager: inactive", agents=(replace(MANAGER, active=False),), owner="", due="",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_table(case: Case) -> None:
    directory = Directory(
        agents={each.id: each for each in case.agents},
        departments={each.id: each for each in case.departments},
        managers=case.managers,
        days_off=case.days_off,
    )
    wanted = {
        "call_id": "call-1",
        "target": "responsible",
        "topic": Topic.BILLING,
        "contact_id": "customer",
        "department": "support",
    } | case.order
    order = RouteOrder.model_validate(wanted)
    decided = route(order, directory, case.presences, case.live, case.now)
    assert " ".join(f"{each.agent_id}/{each.step}" for each in decided.candidates) == case.rung
    assert ", ".join(f"{each.agent_id}: {each.why}" for each in decided.skipped) == case.passed
    assert decided.owner_id == case.owner
    assert decided.due_at == (moscow(case.due) if case.due else None)


def test_where_an_agent_is_rung() -> None:
    both = replace(ANNA, login="anna")
    for known, presence, address, mailbox in (
        (both, AT_DESK, "desk:anna", False),
        (both, Presence(), "sip:anna@pbx", True),
        (replace(both, rings="phone"), AT_DESK, "sip:anna@pbx", True),
        (replace(both, rings="phone", sip=""), AT_DESK, "desk:anna", False),
        (replace(both, voicemail=False), Presence(), "sip:anna@pbx", False),
    ):
        order = RouteOrder(call_id="call-1", target="anna")
        [found] = route(order, Directory({"anna": known}), {"anna": presence}, {}, TUESDAY).candidates
        assert (found.address, found.voicemail) == (address, mailbox)


@pytest.mark.parametrize(
    ("now", "works", "why"),
    [
        # Berlin, 2026-03-29: 02:00 becomes 03:00. The night is an hour shorter.
        ("2026-03-29T00:30:00+00:00", True, "01:30 in winter time"),
        ("2026-03-29T03:59:00+00:00", True, "05:59 in summer time"),
        ("2026-03-29T04:00:00+00:00", False, "06:00 in summer time"),
        # 2026-10-25: 03:00 becomes 02:00. The hour comes twice, and he works in both.
        ("2026-10-25T00:30:00+00:00", True, "02:30 for the first time"),
        ("2026-10-25T01:30:00+00:00", True, "02:30 for the second time"),
        ("2026-10-25T04:59:00+00:00", True, "05:59 in winter time"),
        ("2026-10-25T05:00:00+00:00", False, "06:00 in winter time"),
    ],
)
def test_a_night_shift_when_the_clocks_change(now: str, works: bool, why: str) -> None:
    night = agent("night", tz="Europe/Berlin", shift=parse_shift("mon-sun 22:00-06:00"), department="")
    directory = Directory({"night": night})
    assert on_shift(night, directory, datetime.fromisoformat(now)) is works, why


def test_working_hours_are_counted_in_real_hours_when_the_clocks_change() -> None:
    night = agent("night", tz="Europe/Berlin", shift=parse_shift("mon-sun 22:00-06:00"), department="d")
    directory = Directory(
        {"night": night}, {"d": Department("d", tz="Europe/Berlin", country="", callback_hours=7.5)}
    )
    # From 22:00 in winter time there are seven hours till six in the morning; the rest is next night's.
    now = datetime.fromisoformat("2026-03-28T21:00:00+00:00")
    decided = route(RouteOrder(call_id="c", target="night"), directory, {}, {}, now)
    assert decided.due_at == datetime.fromisoformat("2026-03-29T20:30:00+00:00")


def test_an_agent_may_have_his_own_time_zone() -> None:
    far = agent("far", tz="Asia/Vladivostok")
    directory = Directory({"far": far}, {"support": Department("support")})
    assert not on_shift(far, directory, TUESDAY)  # 18:00 there
    assert on_shift(far, directory, TUESDAY - timedelta(hours=9))


# What always holds ---------------------------------------------------------------------------------

IDS = ("a", "b", "c", "d", "e")
SHIFTS = tuple(
    parse_shift(text)
    for text in (
        "mon-fri 09:00-18:00",
        "mon-sun 22:00-06:00",
        "sat 10:00-14:00",
        "tue-thu 8-12, 13-20",
        "always",
    )
)
ZONES = ("Europe/Moscow", "Europe/Berlin", "America/New_York", "Asia/Vladivostok")

agents_ = st.builds(
    Agent,
    id=st.just(""),
    department=st.sampled_from(("", "x", "y")),
    skills=st.frozensets(st.sampled_from(("billing", "waiting"))),
    sip=st.sampled_from(("", "sip:a@pbx")),
    languages=st.frozensets(st.sampled_from(("ru", "en"))),
    tz=st.sampled_from((None, *ZONES)),
    shift=st.sampled_from((None, *SHIFTS)),
    max_live=st.integers(0, 3),
    active=st.booleans(),
    rings=st.sampled_from(("auto", "phone")),
    fallback=st.integers(0, 2),
    days_off=st.just(()) | st.just((DaysOff(date(2026, 1, 1), date(2026, 12, 31)),)),
)
departments_ = st.builds(
    Department,
    id=st.just(""),
    hours=st.sampled_from(SHIFTS),
    tz=st.sampled_from(ZONES),
    country=st.sampled_from(("", "RU")),
    callback_hours=st.none() | st.floats(0.5, 60),
    max_live=st.none() | st.integers(0, 3),
    fallback=st.integers(0, 2),
)
directories = st.builds(
    lambda agents, departments, manager: Directory(
        {key: replace(each, id=key) for key, each in agents.items()},
        {key: replace(each, id=key) for key, each in departments.items()},
        {"customer": manager},
    ),
    st.dictionaries(st.sampled_from(IDS), agents_),
    st.dictionaries(st.sampled_from(("x", "y")), departments_),
    st.sampled_from(("", *IDS, "gone")),
)
orders = st.builds(
    RouteOrder,
    call_id=st.just("call-1"),
    target=st.sampled_from(("responsible", "department:x", "skill:billing", "a", "gone", "")),
    topic=st.none() | st.sampled_from((Topic.BILLING, Topic.WAITING)),
    contact_id=st.sampled_from(("", "customer")),
    agent_id=st.sampled_from(("", "b", "gone")),
    department=st.sampled_from(("", "x", "none")),
    language=st.sampled_from(("ru", "en")),
)
presences_ = st.dictionaries(
    st.sampled_from(IDS),
    st.builds(Presence, st.none() | st.sampled_from(PresenceState), st.booleans()),
)
lives = st.dictionaries(st.sampled_from(IDS), st.integers(0, 3))
moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC)
)


@given(orders, directories, presences_, lives, moments)
def test_what_always_holds(
    order: RouteOrder,
    directory: Directory,
    presences: dict[str, Presence],
    live: dict[str, int],
    now: datetime,
) -> None:
    decided = route(order, directory, presences, live, now)
    assert decided == route(order, directory, presences, live, now)
    told = [each.agent_id for each in (*decided.candidates, *decided.skipped)]
    assert len(told) == len(set(told)), "nobody twice"
    for candidate in decided.candidates:
        rung = directory.agents[candidate.agent_id]
        assert rung.active
        assert on_shift(rung, directory, now)
        assert live.get(rung.id, 0) < rung.max_live
        bound = directory.department_of(rung).max_live
        theirs = [each.id for each in directory.agents.values() if each.department == rung.department]
        assert bound is None or sum(live.get(each, 0) for each in theirs) < bound
        presence = presences.get(rung.id, Presence())
        assert presence.state in (None, PresenceState.AVAILABLE)
        at_desk = candidate.address == f"desk:{rung.id}"
        assert (at_desk and presence.desk) or (candidate.address == rung.sip != "")
    steps = [list(RouteStep).index(each.step) for each in decided.candidates]
    assert steps == sorted(steps)
    if any(each.active for each in directory.agents.values()):
        assert directory.agents[decided.owner_id].active
        assert decided.due_at is not None
        assert decided.due_at > now
    else:
        assert (decided.owner_id, decided.due_at) == ("", None)


@given(directories, moments)
def test_everybody_of_the_table_is_named_by_some_order_or_has_no_part(
    directory: Directory, now: datetime
) -> None:
    for agent_id in directory.agents:
        decided = route(RouteOrder(call_id="c", target=agent_id), directory, {}, {}, now)
        assert [each.agent_id for each in (*decided.candidates, *decided.skipped)] == [agent_id]
        reasons = [each.why for each in decided.skipped]
        assert PassedOver.UNKNOWN not in reasons
