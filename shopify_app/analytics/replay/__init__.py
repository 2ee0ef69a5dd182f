"""The replay (a back-test in money): the past year again, restocked by our advice, against what the shop did.

In: a shop's past year as arrays. Out: a `Replay`: the difference in money with its range
(docs/analytics-calibration.md, "The replay").

    value     the door's function
    record    the year as arrays
    demand    what the year's demand may have been
    policy    the year under our advice
"""

from shopify_app.analytics.replay.value import LITTLE, Replay, replay

__all__ = ["LITTLE", "Replay", "replay"]
