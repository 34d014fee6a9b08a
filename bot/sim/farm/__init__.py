"""A farm of telephones that take a campaign's calls: SIPp on loopback, each number with its own manner."""
