"""What every room speaks: errors, clock, ids, audio, events, directives and ports."""
