"""Words as Rasa sees them: between spaces, with ё as е, so that both spellings are one word.

The featurisers' own `strip_accents` would do it too late: a word is looked up in the vocabulary
before its accents are stripped, so that every word with ё or й would count as unknown.
Runs in Rasa's environment (Python 3.10).
"""

from __future__ import annotations

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.tokenizers.tokenizer import Token
from rasa.nlu.tokenizers.whitespace_tokenizer import WhitespaceTokenizer
from rasa.shared.nlu.training_data.message import Message


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class RussianTokenizer(WhitespaceTokenizer):
    """The stock tokenizer, folding ё."""

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        tokens = super().tokenize(message, attribute)
        for token in tokens:
            token.text = token.lemma = fold(token.text)
        return tokens


def fold(text: str) -> str:
    return text.lower().replace("ё", "е")
