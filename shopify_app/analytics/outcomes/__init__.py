"""Outcomes: whether a decision helped; registered before the write, judged once after its stop date.

In:  a weekly history of counts, the decisions, and later the same history continued.
Out: a `Registration` per decision (kept before the write), a `Verdict` per decision, a `PortfolioVerdict`.
Method: what a product would have sold is its own 26 weeks before, times what products of the same
rate did meanwhile; how far such a guess is off is seen on those products themselves, to which
nothing was done (placebos). The effect on one product is mostly within chance; on many together it is not.
Source: Abadie, Diamond & Hainmueller (2010), "Synthetic control methods for comparative case
studies", JASA 105, 493-505 (placebo ranks); Rosenbaum (2002), *Observational Studies*, ch. 2.
Weak: without a holdback, suggestions are not a random draw of products and the range says
`matched`; a wholesale week in the window is capped as declared; substitutes not named as such
take part in the comparison.

    records         the nouns
    registration    before the write
    verdicts        one decision's end
    portfolio       all together, and who is held back by lot
    comparisons, placebo     what they are held against
    brake           when a kind of suggestion stops itself
"""

from shopify_app.analytics.outcomes.portfolio import hold_back, judge_portfolio
from shopify_app.analytics.outcomes.records import (
    OUTCOMES,
    Decision,
    PortfolioVerdict,
    Registration,
    Verdict,
    registration_from,
    verdict_from,
)
from shopify_app.analytics.outcomes.registration import PRE_PERIODS, WINDOW_PERIODS, register
from shopify_app.analytics.outcomes.verdicts import judge

__all__ = [
    "OUTCOMES",
    "PRE_PERIODS",
    "WINDOW_PERIODS",
    "Decision",
    "PortfolioVerdict",
    "Registration",
    "Verdict",
    "hold_back",
    "judge",
    "judge_portfolio",
    "register",
    "registration_from",
    "verdict_from",
]
