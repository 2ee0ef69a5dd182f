"""Verbs: they own transactions and the order of events."""
