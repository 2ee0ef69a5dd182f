"""Mathematics: frames and arrays in, dataclasses out; no I/O, no clock, no settings.

demand         what will be asked for, and how sure that is
orders         how much to order, move, and with what money
prices         what a price does, and which to move
price_tests    learning that where prices never moved
trends         what is really rising or falling
outcomes       whether a decision helped
replay         the past year again under our advice
panel, negative_binomial     ground that all stand on
"""
