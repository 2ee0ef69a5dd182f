"""What came of decisions: registered before the write, judged after, stopped where they lose.

    measuring    what a merchant chooses about it
    risk         what prices may lose in all and may lose now, how much of the sales they hold
    register     before the write
    judge        after the stop date
    hold_back    a random share is held back, with consent
    history      a shop's weeks as the judge reads them

All but `measuring` and `risk` load pandas: workers only.
"""
