"""The shops' own life: real orders as history, a seeded model from today on, and the truth of both."""
