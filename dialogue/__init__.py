"""The dialogue: a Rasa project (an environment of its own) and its actions (run in the bot's)."""
