"""Postgres. The only package that holds SQL; every function names its shop."""
