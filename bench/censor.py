"""Stock-outs as censoring: VN2's weeks with stock-outs imposed, part weeks too.

On series-weeks drawn by chance only a part of the week's demand could be bought (a binomial thinning
of what really sold). Peers: taking sales for demand (ignoring), leaving such weeks out (dropping).
Judged by the bias of the coming four weeks against the same method on what really sold, and by how
often the 80 % range of the units lost holds the truth.
"""

import numpy as np
import pandas as pd

from bench.lib.data import vn2
from bench.lib.report import Target, arguments, finish
from bench.lib.rolling import HORIZON, period_panel
from shopify_app.analytics.demand import forecast_demand
from shopify_app.analytics.demand.lost_sales import lost_demand

SHARES = (0.1, 0.3, 0.5)
"""Shares of the series-weeks that are short."""

NEWEST = 26


def censored(history: pd.DataFrame, share: float, rng: np.random.Generator) -> pd.DataFrame:
    """A history with stock-outs imposed; `truth` keeps the units that were asked for."""
    whole = history["in_stock"].to_numpy(float) >= 1
    short = whole & (rng.random(len(history)) < share)
    part = np.where(rng.random(len(history)) < 0.4, 0.0, rng.uniform(0.0, 1.0, len(history)))
    in_stock = np.where(short, part, history["in_stock"].to_numpy(float))
    units = history["units"].to_numpy(int)
    sold = np.where(short, rng.binomial(units, np.where(short, part, 1.0)), units)
    return history.assign(truth=units, units=sold.astype(float), in_stock=in_stock, short=short)


def coming(history: pd.DataFrame) -> np.ndarray:
    """Expected units of each series in the coming weeks."""
    return forecast_demand(history, horizon=HORIZON).mean.sum(axis=1)


def without(history: pd.DataFrame) -> pd.DataFrame:
    """A history in which short weeks say nothing."""
    shown = history.assign(in_stock=np.where(history["short"], 0.0, history["in_stock"]))
    return shown.assign(units=np.where(history["short"], 0.0, history["units"]))


def coverage(history: pd.DataFrame, known: pd.Timestamp) -> tuple[int, int]:
    """(ranges that hold the units lost, ranges) over the newest weeks."""
    found = lost_demand(history, periods=NEWEST, as_of=known).set_index("series_id")
    since = known - pd.Timedelta(days=7 * NEWEST)
    window = history[(history["period"] >= since) & (history["period"] < known)]
    # Weeks that were short in the data itself have no known truth: their series are left out.
    unknown = set(window.loc[~window["short"] & (window["in_stock"] < 1), "series_id"])
    lost = (window["truth"] - window["units"]).groupby(window["series_id"]).sum()
    judged = found[[series not in unknown for series in found.index]]
    truth = lost.reindex(judged.index).fillna(0)
    return int(((truth >= judged["low"]) & (truth <= judged["high"])).sum()), len(judged)


def main() -> int:
    options = arguments("Stock-outs as censoring")
    data = vn2(options.data)
    panel = period_panel(data)
    rng = np.random.default_rng(options.seed)
    worst, held, ranges = 0.0, 0, 0
    print(f"{'short weeks':12s}{'censored':>10s}{'ignored':>10s}{'dropped':>10s}   bias")
    for share in SHARES:
        shown = censored(data.history, share, rng)
        told = ignored = dropped = whole = 0.0
        for back in (0, 8, 16, 24):
            known = pd.Timestamp(panel.periods[-1 - back])
            past = shown[shown["period"] < known]
            real = data.history[data.history["period"] < known]
            whole += coming(real).sum()
            told += coming(past).sum()
            ignored += coming(past.assign(in_stock=real["in_stock"])).sum()
            dropped += coming(without(past)).sum()
            got, of = coverage(shown, known)
            held, ranges = held + got, ranges + of
        biases = [value / whole - 1 for value in (told, ignored, dropped)]
        print(f"{share:12.0%}" + "".join(f"{bias:+10.1%}" for bias in biases), flush=True)
        worst = max(worst, abs(biases[0]))
    print(f"80 % ranges of units lost: {held / ranges:.1%} of {ranges} hold")
    return finish(
        "stock-outs as censoring",
        [
            Target("largest bias", worst, high=0.05),
            Target("coverage of lost units", held / ranges, low=0.75, high=0.85),
        ],
        seed=options.seed,
    )


if __name__ == "__main__":
    raise SystemExit(main())
