"""The rows behind the figures, as files for other programs: one row a call, one table in every format."""
