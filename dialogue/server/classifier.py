"""What a sentence means, from its words and pieces of words: tf-idf and a logistic regression.

Rasa's own featurisers count every word of a sentence and every letter of every word by itself, for
models that read sequences. A linear model needs the sentence only, so that one component which
weighs and counts by itself trains in a fifth of the time, and reads sentences that it never saw
better: rare words weigh more than frequent ones, and length does not make it surer.

A caller says two things in one breath: «девять, но долго ждал». Where a clause by itself speaks for a
pressing intent, its meaning is the sentence's.
Runs in Rasa's environment (Python 3.10).
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from clauses import BREAK, clauses, lemmas, outcome
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.constants import TOKENS_NAMES
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union

NUMBER = "__number__"
"""Stands for any number in digits: which one it is, the answer parser reads."""

WEIGHTS, TERMS = "weights.npz", "terms.json"
"""What a trained model is kept as: numbers, and the words and pieces that they belong to. Both are data
alone, and read in a twentieth of the time of a file of whole estimators (skops), a fifth of Rasa's start."""

REMEMBERED = 1000
"""Sentences whose meaning is kept: each is read as a guess before its turn is over and then as the turn, and
most answers are the same few words."""

_PUNCTUATION = re.compile(r"[,.;:!?…—–]")

Chances = dict[str, float]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SentenceClassifier(GraphComponent, IntentClassifier):
    """Dictionary forms by ones and twos, and pieces of words of `min_letters` to `max_letters` letters.

    `C` is the inverse of the regularisation; intents weigh the same however many examples they have.
    `pressing` are the intents (or what their names begin with) that a clause can claim for its
    sentence, the most pressing first, if it is `sure` of it. `relief` is what a sentence means whose
    outcome does («думала обманут, а сделали честно»), whatever was feared before.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"C": 20.0, "min_letters": 3, "max_letters": 5, "sure": 0.8, "pressing": [], "relief": ""}

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource) -> None:
        self._config = config
        self._storage = storage
        self._resource = resource
        self._model: Pipeline | None = None
        self._meant = lru_cache(REMEMBERED)(self._chances)

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceClassifier:
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        self._model = self._untrained()
        self._model.fit(
            [_words(example).replace(BREAK, " ") for example in examples], [e.get(INTENT) for e in examples]
        )
        with self._storage.write_to(self._resource) as folder:
            _keep(self._model, folder)
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SentenceClassifier:
        component = cls.create(config, model_storage, resource, execution_context)
        with model_storage.read_from(resource) as folder:
            component._model = _kept(component._untrained(), folder)
        return component

    def _untrained(self) -> Pipeline:
        return make_pipeline(
            _features(self._config["min_letters"], self._config["max_letters"]),
            LogisticRegression(
                C=self._config["C"], class_weight="balanced", solver="liblinear", multi_class="ovr"
            ),
        )

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            chances = self._meant(_words(message))
            ranking = [
                {"name": name, "confidence": chances[name]}
                for name in sorted(chances, key=lambda name: chances[name], reverse=True)
            ]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
        return messages

    def _chances(self, text: str) -> Chances:
        """What the sentence means, or the clause of it that is the most pressing."""
        relieved = outcome(text)
        if relieved and self._config["relief"]:
            chances = self._read([relieved])[0]
            if _leads(chances, self._config["relief"]):
                return chances
        whole, *parts = self._read([text.replace(BREAK, " "), *clauses(text)])
        for pressing in self._config["pressing"]:
            if _leads(whole, pressing):
                break
            surest = max(parts, key=lambda part: _sum(part, pressing), default=None)
            if surest is not None and _sum(surest, pressing) >= self._config["sure"]:
                return surest
        return whole

    def _read(self, texts: list[str]) -> list[Chances]:
        assert self._model is not None, "trained or loaded first"
        names = [str(name) for name in self._model.classes_]
        return [dict(zip(names, map(float, row), strict=True)) for row in self._model.predict_proba(texts)]


def _sum(chances: Chances, begins: str) -> float:
    return sum(chance for name, chance in chances.items() if name.startswith(begins))


def _leads(chances: Chances, begins: str) -> bool:
    ours = _sum(chances, begins)
    return all(chance <= ours for name, chance in chances.items() if not name.startswith(begins))


def _features(fewest: int, most: int) -> FeatureUnion:
    common = {"lowercase": False, "sublinear_tf": True}
    return make_union(
        TfidfVectorizer(preprocessor=lemmas, token_pattern=r"\S+", ngram_range=(1, 2), **common),  # noqa: S106
        TfidfVectorizer(analyzer="char_wb", ngram_range=(fewest, most), **common),
    )


def _vectorizers(model: Pipeline) -> list[TfidfVectorizer]:
    return [vectorizer for _, vectorizer in model[0].transformer_list]


def _keep(model: Pipeline, folder: Path) -> None:
    """Write down what a training has found out; `_kept` reads it."""
    read, judge = _vectorizers(model), model[1]
    terms = [sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.get) for vectorizer in read]
    (folder / TERMS).write_text(json.dumps(terms, ensure_ascii=False), encoding="utf-8")
    np.savez(
        folder / WEIGHTS,
        *(vectorizer.idf_ for vectorizer in read),
        coef=judge.coef_,
        intercept=judge.intercept_,
        classes=judge.classes_.astype(str),
    )


def _kept(untrained: Pipeline, folder: Path) -> Pipeline:
    """The model as it was when its training was over."""
    terms = json.loads((folder / TERMS).read_text(encoding="utf-8"))
    judge = untrained[1]
    with np.load(folder / WEIGHTS, allow_pickle=False) as weights:
        for number, (vectorizer, its) in enumerate(zip(_vectorizers(untrained), terms, strict=True)):
            vectorizer.vocabulary = {term: place for place, term in enumerate(its)}
            vectorizer.idf_ = weights[f"arr_{number}"]
        judge.coef_, judge.intercept_, judge.classes_ = (
            weights[name] for name in ("coef", "intercept", "classes")
        )
    return untrained


def _words(message: Message) -> str:
    """The tokenizer's words between spaces, a `BREAK` where the text has punctuation.

    `[unk]`, what a recogniser does not know, is a word too.
    """
    text, words, end = message.get(TEXT), [], 0
    for token in message.get(TOKENS_NAMES[TEXT]) or ():
        if words and _PUNCTUATION.search(text[end : token.start]):
            words.append(BREAK)
        words.append(NUMBER if token.text.isdecimal() else token.text)
        end = token.end
    return " ".join(words)
