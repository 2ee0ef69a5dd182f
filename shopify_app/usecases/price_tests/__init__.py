"""A price test from proposal to prices given back.

decide      start, decline, stop
carry_on    its prices block by block, its weekly reading (workers only: it loads pandas)
"""
