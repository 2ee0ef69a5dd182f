"""Trends: what is really rising or falling, why, and whether it will last until an order lands.

In: a weekly history. Out: a direction a series, "none" for most. Method: common factors divided
out, the evidence of the last weeks against a prior learned from the shop, a bound on false signs
(docs/analytics-trends.md).

    detect     the door's function
    batches, judge, evidence, prior, shocks     how it is judged
    causes, lasting     what explains it, and whether it stays
"""

from shopify_app.analytics.trends.detect import detect_trends

__all__ = ["detect_trends"]
