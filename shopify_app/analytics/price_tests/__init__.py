"""Switchback price tests: small alternating tests where prices never moved, their cost stated first.

Out: a `SwitchbackPlan` before, a reading after (docs/analytics-prices.md, "Price tests").

    experiments           which products, what it costs, what it will tell
    switchback            one test's blocks
    switchback_reading    what it has shown so far
"""
