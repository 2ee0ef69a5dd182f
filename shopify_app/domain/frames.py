"""The DataFrames that cross a border, column by column: name -> dtype.

VARIANTS     one row a variant that is on sale
    variant_id, product_id, inventory_item_id   Shopify's ids (item 0: none known)
    product_title, variant_title, vendor, product_type   '' where Shopify has none
    price, compare_at_price, unit_cost   shop currency; NaN where there is none (a cost of 0 is none)
    is_tracked                whether Shopify counts its stock
    sells_on                  whether it is sold without stock too: what is wanted then is owed, not lost
    available_units, incoming_units   over all active locations
    first_seen_on             the earlier of creation and first sale
TAX_RATES   one row for each variant that sold of late, and one of the whole shop (variant 0)
    tax_rate                  median over its lines of the tax in the price paid over the rest; 0 where tax comes on top
    net                       median price of a line before that tax
DAILY_SALES  one row for each variant and each day on which it sold
    sold_on                   calendar day in the shop's time zone
    ordered_units             gross of returns, net of edits
    largest_line_units        biggest single order line of the day
    revenue, list_revenue     after and before discounts
NEGOTIATED_ORDERS one row for each variant and day with orders whose price was agreed with the buyer
    orders                    that are demand, and no answer to the price in the shop
STOCK_DAYS   one row for each variant and day of which the stock is known, of those that sell only while it lasts
    in_stock                  share of the day, 0..1, in which it could be bought
STOCK_ENDS   one row for each variant and end of a week before which its stock was seen
    weeks_ago                 0 is the week that ended last
    on_hand                   units over all locations
STOCK_PLACES one row for each location of a variant that is stocked at several
    location                  its name
    available_units, incoming_units   there, now
    sold_units                of what was sold while every one of its locations had some, what left from there
"""

from typing import Final

VARIANTS: Final = {
    "variant_id": "int64",
    "product_id": "int64",
    "inventory_item_id": "int64",
    "product_title": "str",
    "variant_title": "str",
    "vendor": "str",
    "product_type": "str",
    "price": "float64",
    "compare_at_price": "float64",
    "unit_cost": "float64",
    "is_tracked": "bool",
    "sells_on": "bool",
    "available_units": "int64",
    "incoming_units": "int64",
    "first_seen_on": "datetime64[s]",
}

TAX_RATES: Final = {"variant_id": "int64", "tax_rate": "float64", "net": "float64"}

NEGOTIATED_ORDERS: Final = {"variant_id": "int64", "sold_on": "datetime64[s]", "orders": "int64"}

DAILY_SALES: Final = {
    "variant_id": "int64",
    "sold_on": "datetime64[s]",
    "ordered_units": "int64",
    "returned_units": "int64",
    "orders": "int64",
    "largest_line_units": "int64",
    "revenue": "float64",
    "list_revenue": "float64",
}

STOCK_DAYS: Final = {"variant_id": "int64", "day": "datetime64[s]", "in_stock": "float64"}

STOCK_ENDS: Final = {"variant_id": "int64", "weeks_ago": "int64", "on_hand": "float64"}

WEEKLY_PRICES: Final = {
    "variant_id": "int64",
    "weeks_ago": "int64",
    "price": "float64",
    "lines": "int64",
}
"""The price most lines of a week were sold at, before discounts; `weeks_ago` 0 is the last whole week."""

STOCK_PLACES: Final = {
    "variant_id": "int64",
    "location_id": "int64",
    "location": "str",
    "available_units": "int64",
    "incoming_units": "int64",
    "sold_units": "float64",
}
