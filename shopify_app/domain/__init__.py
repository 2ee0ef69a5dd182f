"""Nouns: frozen dataclasses, enums and pure rules; they know no I/O."""
