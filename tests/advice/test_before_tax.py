"""Which tax is in a price: the median of a product's own lines, the shop's where it has none, to the rounding of a minor unit."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopify_app.advice.before_tax import net_prices, tax_evidence, with_tax_rates
from shopify_app.domain.frames import TAX_RATES

APRON, MUG = 1, 2


def told(*lines):
    return pd.DataFrame(list(lines), columns=list(TAX_RATES)).astype(TAX_RATES)


def found(*lines, taxes_included=True, prices=(24.0, 12.0), minor_digits=2):
    variants = pd.DataFrame({"variant_id": [APRON, MUG], "price": prices})
    return with_tax_rates(
        variants, told(*lines), taxes_included=taxes_included, minor_digits=minor_digits
    )


def test_a_price_of_24_with_4_of_tax_is_20_before_it():
    taxed = found((0, 0.2, 20.0), (APRON, 0.2, 20.0), (MUG, 0.0, 12.0))

    assert taxed["tax_rate"].tolist() == [0.2, 0.0]
    assert net_prices(taxed).tolist() == [20.0, 12.0]
    assert taxed["tax_from"].tolist() == ["own", "own"]


def test_what_sold_nothing_of_late_has_the_shops_usual_tax_and_says_so():
    taxed = found((0, 0.2, 20.0), (APRON, 0.055, 22.75))

    assert taxed["tax_rate"].tolist() == [0.055, 0.2]
    assert taxed["tax_from"].tolist() == ["own", "shop"]
    assert tax_evidence(taxed.iloc[1]) == {"tax_rate": 0.2, "tax_from": "shop"}


def test_where_no_line_tells_a_tax_that_is_in_the_prices_it_is_unknown_and_none_is_taken_out():
    taxed = found()

    assert net_prices(taxed).tolist() == [24.0, 12.0]
    assert tax_evidence(taxed.iloc[0]) == {"tax_rate": 0.0, "tax_from": "unknown"}


def test_where_tax_comes_on_top_of_the_price_all_of_it_is_the_shops_and_nothing_is_said():
    taxed = found((0, 0.0, 24.0), (APRON, 0.0, 24.0), taxes_included=False)

    assert net_prices(taxed).tolist() == [24.0, 12.0]
    assert tax_evidence(taxed.iloc[0]) == {}


def test_the_rounding_of_a_cheap_line_makes_no_tax_of_its_own():
    # 0.39 with 20 % in it is 0.325 and 0.065: Shopify says 0.07, over 0.32 that is 21.9 %.
    taxed = found((0, 0.2, 20.0), (APRON, 0.07 / 0.32, 0.32), (MUG, 0.21 / 1.04, 1.04))

    assert taxed["tax_rate"].tolist() == [0.2, 0.2]


def test_a_run_of_before_knows_no_tax_and_takes_prices_as_they_are():
    variants = pd.DataFrame({"variant_id": [APRON], "price": [24.0]})

    assert net_prices(variants).tolist() == [24.0]
    assert tax_evidence(variants.iloc[0]) == {}


@pytest.mark.parametrize("digits", [0, 2, 3])
@settings(deadline=None, max_examples=50)
@given(price=st.integers(1, 10**7), rate=st.sampled_from([0.0, 0.055, 0.07, 0.19, 0.2, 0.25]))
def test_the_rate_that_a_line_was_taxed_at_comes_out_of_its_rounded_tax(digits, price, rate):
    unit = 10.0**-digits
    paid = price * unit
    tax = round(paid * rate / (1 + rate) / unit) * unit
    if tax >= paid:
        return
    taxed = found((0, rate, 1e6), (APRON, tax / (paid - tax), paid - tax), minor_digits=digits)

    assert taxed["tax_rate"].iloc[0] == pytest.approx(rate, abs=1e-9)
    assert np.isfinite(net_prices(taxed)).all()
