"""A price test from proposal to prices given back.

decide      start, decline, stop
carry_on    a test under way: load, `advice.price_test_step`, save (workers only: it loads pandas)
"""
