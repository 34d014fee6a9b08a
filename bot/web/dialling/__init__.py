"""Who is called: contacts, do-not-call, campaigns, and what goes on now."""
