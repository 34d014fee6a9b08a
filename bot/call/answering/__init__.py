"""Who took the call: a person, or which kind of machine. Pure on media time but for `watch` and `leaving`."""
