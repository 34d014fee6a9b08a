"""What administrators look after: accounts, tokens, the audit log."""
