"""Verbs: they own transactions and the order of events.

shops          a shop comes, opens, changes, goes
inbox          webhooks become rows
history        the past is imported, compared, counted
suggestions    a run: rows to cards
decisions      what a merchant decides, and what follows
price_tests    a test from proposal to prices given back
outcomes       registered before, judged after
doorbells, rounds     the registry of work, and how it is done shop by shop
housekeeping    what no merchant waits for
processes      what every process does around a fork
"""
