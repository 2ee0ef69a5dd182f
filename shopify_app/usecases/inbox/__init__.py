"""What Shopify tells us becomes rows, once, whatever the order it comes in.

    drain       a proved webhook is kept, then worked through
    ingest, ingest_together     one topic, one function
    ledgers     Shopify's own sales of orders whose lines do not tell their money
    refetch     what was only hinted at is asked of Shopify
    redact      the three privacy topics
    spoiling_errors     what another's data can cause in our code

Not here: what a whole history or a comparison brings (`history`).
"""
