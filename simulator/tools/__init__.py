"""Makers of what the simulator ships; none of it runs in the simulator."""
