"""A person's music files: embedded, searched, written out."""
