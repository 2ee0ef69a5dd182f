"""What the app is told: who is told of an event, with which body, and how it is sent."""
