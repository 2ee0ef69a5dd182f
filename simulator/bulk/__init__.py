"""Bulk queries: a text compiled once, run in a thread over the store, written as JSONL."""
