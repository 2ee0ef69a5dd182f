"""A merchant decides, and what follows: the outbox of prices, orders sent and received.

decide          accept, dismiss, undo
carry_out       what accepting and taking back do: a line a kind
accepted_prices, accepted_restocks, unmeasured     the lines of it
answers         what a merchant hears
rollouts        several prices together
price_outbox    accepted prices are written to Shopify (workers only: it loads pandas)
purchase_order_exports, order_receipts     a draft goes to the vendor, and arrives
"""
