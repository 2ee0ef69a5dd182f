"""A run: rows are read, worked out by `advice`, and kept as open suggestions.

    suggest    a run from request to cards
    explain    a card's numbers worked out again from what its run saw
    ranges     ranges given are kept, and held against what came
    replay     the last year again under our advice

Entered by workers and the operator only: it loads pandas.
"""
