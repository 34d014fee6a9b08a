"""What Prometheus sees of a node: counted from the calls' own events, as they come.

Everything starts from zero with the node; what is to be kept is in SQL. Times are in seconds, as
Prometheus wants them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import assert_never

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.call.waits import Corrected, Measure, Paused, Replied, Resumed, Stopped, Waits
from bot.core.attribution import VALUES, Attribution, Missing
from bot.core.endings import Disposition
from bot.core.events import CallEnded, CallEvent, CallStarted, ReplyMeasured

REPLY_BUCKETS = (0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0, 1.3, 1.8, 2.5, 4.0)
"""Bounds that hold the targets of docs/latency.md: 0.45, 0.8 and 1.0 s for closed questions, 1.8 for open."""

STAGE_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
PAUSE_BUCKETS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.4, 0.7)
STOP_BUCKETS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.5)
"""Around the 0.7 s within which a paused prompt is stopped or goes on."""

STAGES = ("endpointing", "recognition", "dialogue", "first_audio")


@dataclass(slots=True)
class _Live:
    """What has to be remembered of a call until it ends."""

    direction: str
    waits: Waits = field(default_factory=Waits)


class Metrics:
    """Takes every event of every call; `text` is what is scraped."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._live: dict[str, _Live] = {}
        Gauge("otklik_live_calls", "Calls under way, from ring to end", registry=registry).set_function(
            lambda: len(self._live)
        )
        self._calls = Counter(
            "otklik_calls", "Calls that have ended", ("direction", "disposition"), registry=registry
        )
        self._attributed = Counter(
            "otklik_inbound_attribution",
            "What is known of incoming calls: each value by its source, or by why it is missing",
            ("value", "source"),
            registry=registry,
        )
        self._gaps = Histogram(
            "otklik_reply_gap_seconds",
            "From the caller's last voiced sound to our first frame handed to the line",
            ("question_kind",),
            buckets=REPLY_BUCKETS,
            registry=registry,
        )
        self._stages = Histogram(
            "otklik_reply_stage_seconds",
            "Where the reply gap went",
            ("question_kind", "stage"),
            buckets=STAGE_BUCKETS,
            registry=registry,
        )
        self._barge_ins = Counter(
            "otklik_barge_ins",
            "Prompts that a voice paused, by what followed",
            ("outcome",),
            registry=registry,
        )
        self._pauses = Histogram(
            "otklik_barge_in_pause_seconds",
            "From the first sound of a voice over a prompt to the prompt's silence",
            buckets=PAUSE_BUCKETS,
            registry=registry,
        )
        self._stops = Histogram(
            "otklik_barge_in_stop_seconds",
            "From the first sound of a voice over a prompt to the decision that the prompt is over",
            buckets=STOP_BUCKETS,
            registry=registry,
        )
        self._corrections = Counter(
            "otklik_corrections",
            "What was recorded in a call and did not stand: answers replaced, signals withdrawn",
            ("what",),
            registry=registry,
        )

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry)

    def take(self, event: CallEvent) -> None:
        """One event; of a call whose start was not seen, nothing is counted but its end."""
        if isinstance(event, CallStarted):
            self._live[event.call_id] = _Live(event.direction)
            self._attribution(event.attribution)
            return
        call = self._live.get(event.call_id)
        match event:
            case CallEnded(disposition=disposition):
                self._live.pop(event.call_id, None)
                self._calls.labels(call.direction if call else "unknown", disposition.value).inc()
            case _ if call is not None and (measure := call.waits.take(event)) is not None:
                self._count(measure)
            case _:
                pass

    @property
    def live(self) -> frozenset[str]:
        """The calls whose start was seen and whose end was not."""
        return frozenset(self._live)

    def lost(self, call_ids: Collection[str]) -> None:
        """These are over and no event said so: their process died, or their end could not be written
        down. They count as interrupted, which is what becomes of their attempts."""
        for call_id in call_ids:
            call = self._live.pop(call_id, None)
            if call is not None:
                self._calls.labels(call.direction, Disposition.INTERRUPTED.value).inc()

    def _count(self, measure: Measure) -> None:
        match measure:
            case Replied(kind=kind, measured=reply):
                self._reply(reply, kind)
            case Paused(pause_s=pause_s):
                self._pauses.observe(pause_s)
            case Resumed():
                self._barge_ins.labels("resumed").inc()
            case Stopped(stop_s=stop_s):
                self._barge_ins.labels("stopped").inc()
                if stop_s is not None:
                    self._stops.observe(stop_s)
            case Corrected(what=what):
                self._corrections.labels(what).inc()
            case _:
                assert_never(measure)

    def _attribution(self, found: Attribution | None) -> None:
        if found is None:
            return
        for value in VALUES:
            source = found.source(value) or f"missing:{found.missing.get(value, Missing.NOT_SENT)}"
            self._attributed.labels(value, source).inc()

    def _reply(self, reply: ReplyMeasured, kind: str) -> None:
        self._gaps.labels(kind).observe(max(reply.gap_ms, 0.0) / 1000)
        for stage in STAGES:
            took_ms: float = getattr(reply, f"{stage}_ms")
            self._stages.labels(kind, stage).observe(max(took_ms, 0.0) / 1000)
