"""A campaign as data: which survey, whom it may ring when and how often, how fast, and when it stops itself.

What is left out has the defaults below; docs/campaigns.md says why each is what it is. Hours and days are
those of whoever is rung. A campaign may only be narrower than `bot.campaigns.frame` and than its survey's
own `calling`, never wider.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from bot.campaigns.durations import Duration
from bot.campaigns.names import CallerNumber, Country, Hours, SurveyName
from bot.core.endings import RetryCause
from bot.core.years import is_meant
from bot.surveys.problems import Fault, refusal
from bot.surveys.questions import Id, first_twice

Share = Annotated[float, Field(gt=0, le=1)]

KEPT = object()
"""The context in which a campaign is validated that was accepted before, maybe by an older version: it stays
what it was."""

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Caller(_Model):
    """What the telephone that rings shows: the number (E.164, empty: the trunk's own) and the name."""

    number: CallerNumber = ""
    label: str = Field(default="", max_length=60)


class Calling(_Model):
    """When customers are rung, by their own clock.

    `hours` as shifts are written (`mon-fri 10:00-20:00; sat 11:00-18:00`); None: the survey's own.
    `holidays` is whether the official holidays of `country` are days to ring on; `closed` are days on
    which nobody is rung, whatever else holds.
    """

    hours: Hours | None = None
    holidays: bool = False
    country: Country = "RU"
    closed: tuple[date, ...] = ()


class Retry(_Model):
    """After which time to ring again, the first time, the second …; the last one holds for all that
    follow. `limit` is how often at most for this cause; 0 means never."""

    after: tuple[Duration, ...] = Field(min_length=1, max_length=10)
    limit: int = Field(ge=0, le=10)

    @model_validator(mode="after")
    def _not_at_once(self) -> Self:
        if any(span < MINUTE for span in self.after):
            raise refusal([Fault("bad-value", "after: нужно не меньше минуты", ("after",))])
        return self


def _retry(limit: int, *after: timedelta) -> Retry:
    return Retry(after=after, limit=limit)


class Promised(_Model):
    """Calls at a time that the customer named himself: how many of them one campaign keeps."""

    limit: int = Field(default=3, ge=0, le=10)


class Retries(_Model):
    """`attempts` is how often one customer is rung in all, promised calls aside; None: as the survey says.

    `jitter` lengthens every interval by a random share up to this one, so that those who were rung together
    are not rung together again. `resume_within` is how long an interrupted survey is gone on with where
    it stopped; afterwards it begins anew.
    """

    attempts: int | None = Field(default=None, ge=1, le=20)
    jitter: float = Field(default=0.15, ge=0, le=1)
    resume_within: Duration = DAY
    busy: Retry = _retry(3, 10 * MINUTE, 30 * MINUTE, 2 * HOUR)
    no_answer: Retry = _retry(3, 4 * HOUR, DAY)
    unavailable: Retry = _retry(3, 4 * HOUR, DAY)
    voicemail: Retry = _retry(2, DAY)
    machine: Retry = _retry(1, DAY)
    silence: Retry = _retry(1, DAY)
    failed: Retry = _retry(3, 10 * MINUTE, HOUR)
    interrupted: Retry = _retry(1, 15 * MINUTE)
    promised: Promised = Promised()

    def of(self, cause: RetryCause) -> Retry:
        """The rule of a cause other than a promise, which has a time of its own."""
        rule = getattr(self, cause.value)
        assert isinstance(rule, Retry), cause
        return rule


class Frequency(_Model):
    """How often one customer is bothered, by all campaigns together.

    Rings are counted over the last 24 hours and 7 days. After a talk nobody is rung about the same
    survey for `same_survey`, nor about any for `any_survey`.
    """

    rings_per_day: int = Field(default=3, ge=1, le=5)
    rings_per_week: int = Field(default=6, ge=1, le=15)
    same_survey: Duration = 30 * DAY
    any_survey: Duration = 7 * DAY


class Pacing(_Model):
    """How fast: at most so many `lines` at once, so many calls `per_second`.

    With `agents` nobody new is rung unless an agent is expected to be free for him. `agent_share` is the
    share of answered calls that are expected to need one, until enough of them were counted.
    """

    lines: int = Field(default=10, ge=1, le=500)
    per_second: float = Field(default=1.0, gt=0, le=50)
    agents: bool = True
    agent_share: Share = 0.15


class Threshold(_Model):
    """More than this `share` of what was counted `over` this time, of at least `sample`, is too much."""

    share: Share
    over: Duration
    sample: int = Field(ge=5, le=10_000)


class Breaker(_Model):
    """What pauses the campaign by itself: calls that fail, and people who ask never to be called again."""

    failures: Threshold = Threshold(share=0.3, over=15 * MINUTE, sample=20)
    opt_outs: Threshold = Threshold(share=0.1, over=DAY, sample=30)


class Quota(_Model):
    """So many completed surveys of contacts whose fields are these; afterwards they are not rung."""

    id: Id
    where: Mapping[str, str] = Field(min_length=1, max_length=5)
    completed: int = Field(ge=1)


def _distinct(quotas: tuple[Quota, ...]) -> tuple[Quota, ...]:
    if twice := first_twice([quota.id for quota in quotas]):
        place = [quota.id for quota in quotas].index(twice, [q.id for q in quotas].index(twice) + 1)
        raise refusal([Fault("duplicate-id", f"квота «{twice}» описана дважды", (place, "id"))])
    return quotas


class Campaign(_Model):
    """`reason` is why customers are rung, in the words that a survey's `{reason|…}` puts into its sentences.
    `survey` is `id` or `id@version`. `starts` and `ends` are the first and the last day, by the clock of
    whoever is rung. `target` is how many completed surveys are enough. `ask_within` is how long after a talk
    whoever was asked to be rung about it is still rung, promised times aside."""

    id: Id
    title: str = Field(min_length=1, max_length=200)
    reason: str = Field(default="", max_length=200)
    survey: SurveyName
    purpose: Literal["service", "marketing"]
    consent: Literal["required", "not_required"] | None = None
    starts: date | None = None
    ends: date | None = None
    target: int | None = Field(default=None, ge=1)
    ask_within: Duration = 3 * DAY
    caller: Caller = Caller()
    calling: Calling = Calling()
    retries: Retries = Retries()
    frequency: Frequency = Frequency()
    pacing: Pacing = Pacing()
    breaker: Breaker = Breaker()
    quotas: Annotated[tuple[Quota, ...], AfterValidator(_distinct), Field(max_length=200)] = ()

    @property
    def needs_consent(self) -> bool:
        """A survey about one's own talk needs none on record unless the file says so."""
        return self.consent == "required" or self.purpose == "marketing"

    @model_validator(mode="after")
    def _makes_sense(self, given: ValidationInfo) -> Self:
        faults: list[Fault] = []
        if self.purpose == "marketing" and self.consent == "not_required":
            faults.append(
                Fault(
                    "bad-value",
                    "consent: для purpose: marketing согласие нужно всегда",
                    ("consent",),
                    "уберите consent или напишите required",
                )
            )
        for name, day in (("starts", self.starts), ("ends", self.ends)):
            if day is not None and not is_meant(day.year) and given.context is not KEPT:
                faults.append(Fault("bad-value", f"{name}: тогда не звонят", (name,)))
        if self.starts and self.ends and self.ends < self.starts:
            faults.append(Fault("bad-value", "ends: раньше, чем starts", ("ends",)))
        if faults:
            raise refusal(faults)
        return self
