"""Rasa's components of TensorFlow are known and do not work: a model of one is refused with the reason."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bot.core.errors import ModelMissing
from dialogue.launch import rasa_env, rasa_python
from dialogue.training import train

CONFIG = """recipe: default.v1
assistant_id: other
language: ru
pipeline:
  - name: WhitespaceTokenizer
  - name: CountVectorsFeaturizer
  - name: DIETClassifier
policies:
  - name: RulePolicy
"""
SENTENCES = """version: "3.1"
nlu:
  - intent: affirm
    examples: |
      - да
      - ага
  - intent: deny
    examples: |
      - нет
      - никогда
"""


def test_a_model_of_diet_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "nlu.yml").write_text(SENTENCES, encoding="utf-8")
    (tmp_path / "domain.yml").write_text('version: "3.1"\nintents: [affirm, deny]\n', encoding="utf-8")
    for name, text in (("config.yml", CONFIG), ("uv.lock", "")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "server").symlink_to(Path("dialogue/server").resolve())
    (tmp_path / ".venv").symlink_to(Path("dialogue/.venv").resolve())
    with pytest.raises(ModelMissing, match="DIET needs TensorFlow, which is not installed"):
        train(folder=tmp_path, model=tmp_path / "models" / "other.tar.gz")


def test_what_is_absent_can_be_named_and_inherited_from_and_does_not_work() -> None:
    told = subprocess.run(
        [str(rasa_python()), "-c", _TRIED], env=rasa_env(), capture_output=True, text=True, timeout=60
    )
    assert (told.returncode, told.stdout) == (0, "Net needs TensorFlow, which is not installed\n"), (
        told.stderr
    )


_TRIED = """
from without_tensorflow import TensorFlowIsAbsent, do_without_tensorflow
do_without_tensorflow()
import tensorflow as tf
from tensorflow.keras.layers import Layer

class Net(Layer):
    @tf.function(reduce_retracing=True)
    def call(self, x: tf.Tensor) -> "tf.Tensor":
        ...

try:
    Net(1)
except TensorFlowIsAbsent as error:
    print(str(error).split(":")[0].removeprefix("__main__."))
"""
