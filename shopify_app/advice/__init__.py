"""Inputs become suggestions: what the models say, in the shop's own terms; no I/O, no clock, no settings.

    inputs        what a run rests on, and its bytes
    work_out      all kinds together
    restock, price, trend, price_test, way_back     a kind each
    price_test_step                                 what a price test under way has to do on a day
    transfers, order_together, lead_times           what restock rests on
    demand, known_demand, history, shop_weeks, promoted_weeks     what the models are fed
before_tax, on_offer                            prices without their tax; weeks in which a thing could be had

Read by `usecases.suggestions` and `usecases.price_tests`, which keep what comes out; it calls `analytics` and nothing that reads or writes.
"""
