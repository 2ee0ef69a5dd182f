"""Price response, and which price to move.

In: a panel of prices, counts and costs; a merchant's limits. Out: a posterior of every product's
elasticity; suggested prices with their gain. Method: a product's own price changes, shrunk toward
its type, its shop and the literature (docs/analytics-prices.md).

    elasticity    evidence and prior become a posterior
    pricing       which price to move, inside limits
    evidence, noise, prior, spells, standing_price     what weeks say of a price
    profit, rules     what a price earns, what may be asked
"""
