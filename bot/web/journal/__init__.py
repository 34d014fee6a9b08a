"""The calls: their journal, one call's page, its audio and corrections; cases and callbacks."""
