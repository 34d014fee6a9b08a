"""Tables, queries, migrations and the writer that drains the spools."""
