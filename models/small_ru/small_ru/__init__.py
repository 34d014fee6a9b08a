"""Makes the small Russian recogniser, from texts to the archive: see models/small_ru/README.md."""
