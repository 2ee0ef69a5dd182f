"""Order quantities: how many, when and with what money; the newsvendor's question, line by line and together.

In: a demand forecast, terms (costs, packs, lead times), what is on hand and under way. Out: an
`OrderPlan`, plans for every budget, transfers. Method: a unit is ordered while it is worth more on
the shelf than in the bank (docs/analytics-replenishment.md).

    replenishment    how many of each line now
    budget, budget_ladder     what a budget buys
    lead_times, pipeline, stock_ahead     what an order will meet when it lands
    transfers        what to move between locations first
    plan, rules, terms     its nouns
"""
