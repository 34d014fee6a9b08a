"""Training once for the same data, with a Rasa that only counts how often it was asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.directives import Understood
from bot.core.errors import BadInput, DiskFull, ModelMissing
from bot.core.intents import Intent
from dialogue.evaluation import Sentence, evaluate, read_sentences
from dialogue.launch import actions_command, rasa_command, rasa_python
from dialogue.training import is_trained, stamp, train

RASA = """#!/bin/sh
echo "INFO rasa - Starting to train component 'Counter'."
echo once >> {count}
{ending}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A Rasa project whose interpreter is a script."""
    (tmp_path / "data" / "nlu").mkdir(parents=True)
    (tmp_path / "data" / "nlu" / "affirm.yml").write_text("да")
    (tmp_path / "server").mkdir()
    for name in (
        "config.yml",
        "domain.yml",
        "uv.lock",
        "server/tokens.py",
        "server/classifier.py",
        "server/clauses.py",
    ):
        (tmp_path / name).write_text(name)
    put_rasa(tmp_path, "echo model > models/draft.tar.gz")
    return tmp_path


def put_rasa(folder: Path, ending: str) -> None:
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(RASA.format(count=folder / "count", ending=ending))
    python.chmod(0o755)


def trained(folder: Path, steps: list[str] | None = None) -> bool:
    return train(steps.append if steps is not None else None, folder=folder, model=model_of(folder))


def model_of(folder: Path) -> Path:
    return folder / "models" / "otklik.tar.gz"


def runs(folder: Path) -> int:
    return len((folder / "count").read_text().splitlines())


def test_nothing_is_trained_twice(folder: Path) -> None:
    steps: list[str] = []
    assert trained(folder, steps)
    assert steps == ["Counter"]
    assert not trained(folder)
    assert runs(folder) == 1


@pytest.mark.parametrize(
    "name",
    [
        "config.yml",
        "domain.yml",
        "uv.lock",
        "server/tokens.py",
        "server/classifier.py",
        "data/nlu/affirm.yml",
        "data/new.yml",
    ],
)
def test_a_change_is_trained(name: str, folder: Path) -> None:
    trained(folder)
    before = stamp(folder)
    (folder / name).write_text("other")
    assert stamp(folder) != before
    assert not is_trained(folder, model_of(folder))
    assert trained(folder)
    assert runs(folder) == 2


def test_a_lost_model_is_trained_again(folder: Path) -> None:
    trained(folder)
    model_of(folder).unlink()
    assert trained(folder)


def test_a_failure_leaves_the_old_model(folder: Path) -> None:
    trained(folder)
    (folder / "config.yml").write_text("broken")
    put_rasa(folder, "echo 'no such component'; exit 1")
    with pytest.raises(ModelMissing, match="no such component"):
        trained(folder)
    assert model_of(folder).read_text() == "model\n"
    assert not is_trained(folder, model_of(folder))


def test_a_full_disk_is_told_as_such(folder: Path) -> None:
    put_rasa(folder, "echo 'OSError: [Errno 28] No space left on device'; exit 1")
    with pytest.raises(DiskFull):
        trained(folder)


def test_without_an_environment_there_is_a_hint(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing) as raised:
        rasa_python(tmp_path)
    assert "uv sync" in raised.value.hint


def test_without_a_model_rasa_is_not_started(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing) as raised:
        rasa_command(5005, "http://127.0.0.1:5055/webhook", "token", tmp_path / "none.tar.gz")
    assert "otklik dialogue train" in raised.value.hint


def test_the_action_server_is_a_module_of_ours(tmp_path: Path) -> None:
    command = actions_command(5055, tmp_path, "token")
    assert command.argv[1:] == ("-m", "dialogue.actions.server", "--port", "5055", "--surveys", str(tmp_path))


def test_training_sees_no_secret_of_ours(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTKLIK_SIP__TRUNK__PASSWORD", "hush-hush")
    monkeypatch.setenv("PGPASSWORD", "hush-hush")
    put_rasa(folder, f"env > {folder}/seen; echo model > models/draft.tar.gz")
    trained(folder)
    seen = (folder / "seen").read_text()
    assert "hush-hush" not in seen
    assert "RASA_TELEMETRY_ENABLED=false" in seen


# Evaluation -----------------------------------------------------------------------------------


def test_scores_by_hand() -> None:
    """Two of three «yes» are found, one «no» is taken for «yes»: worked out on paper."""
    yes, no = Intent.AFFIRM, Intent.DENY
    said = [Sentence(str(number), intent) for number, intent in enumerate((yes, yes, yes, no, no))]
    found = [Understood(intent=intent, confidence=1.0) for intent in (yes, yes, no, yes, no)]
    result = evaluate(said, found)
    scores = result.scores(yes)
    assert (scores.precision, scores.recall, scores.support) == (2 / 3, 2 / 3, 3)
    assert result.scores(no).f1 == 0.5
    assert result.macro_f1 == pytest.approx((2 / 3 + 0.5) / 2)
    assert [sentence.text for sentence, _ in result.mistakes] == ["2", "3"]


def test_nothing_understood_is_out_of_scope() -> None:
    result = evaluate([Sentence("мяу", Intent.OUT_OF_SCOPE)], [None])
    assert result.macro_f1 == 1.0


@pytest.mark.parametrize("line", ["affirm\tда", "affirm\t\t ", "dance\t\tда", "complain\tweather\tдождь"])
def test_a_bad_line_is_named(line: str, tmp_path: Path) -> None:
    file = tmp_path / "sentences.tsv"
    file.write_text(f"# comment\naffirm\t\tда\n{line}\n")
    with pytest.raises(BadInput, match=r"sentences\.tsv:3: "):
        read_sentences(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.tsv: не читается"):
        read_sentences(tmp_path / "none.tsv")
