"""Starts what Keel needs on one machine: embedded Postgres and Valkey, the simulator, the Procfile."""
