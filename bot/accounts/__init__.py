"""Who may sign in and what he may do: accounts, passwords, roles, sessions."""
