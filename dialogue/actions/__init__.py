"""Rasa's custom actions. They run in the bot's environment, behind `rasa_sdk`'s ActionExecutor."""
