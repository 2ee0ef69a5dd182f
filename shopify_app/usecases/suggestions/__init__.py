"""A run: rows are read, worked out by `advice`, and kept as open suggestions.

    suggest    a run from request to cards
    explain    a card's numbers worked out again from what its run saw
    ranges     ranges given are kept, and held against what came
    replay     the last year again under our advice
    state      how far a shop's advice can be believed now
    read_inputs, read_weeks     rows as the models see them

Entered by workers and the operator only: it loads pandas.
"""
