"""A line to a browser, against another implementation's Opus on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.telephony.browsers import browser, webrtc_endpoint
from tests.telephony.conformance import CallLegConformance, Line


class TestWebRtc(CallLegConformance):
    @pytest.fixture
    async def line(self) -> AsyncIterator[Line]:
        async with webrtc_endpoint() as endpoint, browser() as page:
            yield Line(await page.call(endpoint), page)
