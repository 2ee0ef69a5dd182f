"""Mathematics: frames and arrays in, dataclasses out; no I/O, no clock, no settings."""
