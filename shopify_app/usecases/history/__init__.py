"""A shop's past, read whole and kept true: import, comparison, days counted, the books.

backfill     the history step by step, each step resumable
reconcile    what webhooks lost is compared and mended
full_count   everything that Shopify has, once a week
books        whether what we hold is whole: scopes, history, comparisons
sales_report     our net sales beside Shopify's own report
sales        touched days are counted again
local_days   after a change of time zone or currency every day is counted again
proof        how the books agree with Shopify's own totals
facts        the shop's books as we hold them
market_prices     prices that markets hold fast
"""
