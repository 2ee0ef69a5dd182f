"""HTTP: proves who asks, calls use cases, renders."""
