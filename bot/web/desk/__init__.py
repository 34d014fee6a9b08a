"""The agent's desk: who is rung there, what he is shown, and what he can do."""
