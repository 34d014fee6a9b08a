"""Routing to the agent who is responsible, presence, and the cases of unhappy customers."""
