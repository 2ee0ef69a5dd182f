"""Benchmarks: each prints a table and one line of JSON; the peers run in the same command."""
