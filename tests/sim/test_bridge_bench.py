"""The bridge's benchmark, end to end and short: that it measures, not how fast this machine is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.cli.app import main
from bot.sim.bench.clicks import measure_again


def test_it_measures_both_kinds_and_its_capture_gives_the_same_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", "bridge", "--json", "--calls", "1", "--clicks", "3", "--capture", str(tmp_path / "c")])
    assert ended.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert found["calls"] == 2
    for kind in ("sip-sip", "sip-webrtc"):
        assert found["kinds"][kind]["clicks"] == 3
        assert found["kinds"][kind]["lost"] <= 1, "a machine that is held up may lose one"
        assert 20 < found["kinds"][kind]["p50_ms"] < 800
    printed, again = measure_again(tmp_path / "c")
    assert again == printed
    assert printed.model_dump(mode="json").items() <= found.items()


def test_an_unknown_kind_and_a_used_folder_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bridge.json").write_text("{}")
    for wrong in (["--kind", "carrier-pigeon"], ["--capture", str(tmp_path)]):
        with pytest.raises(SystemExit) as ended:
            main(["bench", "bridge", *wrong])
        assert ended.value.code == 2
    assert "carrier-pigeon" in capsys.readouterr().err
