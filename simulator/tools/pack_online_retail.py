"""Packs Online Retail II's lines (UCI 502, CC BY 4.0) into simulator/data/online_retail_2.npz.xz.

`python -m simulator.tools.pack_online_retail LINES.parquet` needs pyarrow; the simulator does not.
Kept: sales of products, other paid lines (postage, manual) as lines of no product, and
cancelled product lines. Left out: adjustments, free lines, countries.
"""

import io
import lzma
import sys
from pathlib import Path

import numpy as np
import pandas as pd

OUT = Path(__file__).resolve().parents[1] / "data" / "online_retail_2.npz.xz"
OTHER_LINES = ("POST", "DOT", "C2", "M")
START = np.datetime64("2009-12-01T00:00", "m")


def main(source: Path) -> None:
    """Read, choose, encode, write."""
    lines = pd.read_parquet(source)
    paid = lines.unit_price > 0
    sale = (
        paid
        & (lines.quantity > 0)
        & ~lines.is_cancel
        & (lines.is_product | lines.stock_code.isin(OTHER_LINES))
    )
    cancelled = paid & (lines.quantity < 0) & lines.is_cancel & lines.is_product
    kept = lines[sale | cancelled].sort_values(["ts", "invoice", "line_no"], kind="stable")

    invoice, _ = pd.factorize(kept.invoice)
    stock, stock_codes = pd.factorize(kept.stock_code.astype(str))
    customer, _ = pd.factorize(
        kept.customer_id.fillna(-kept.invoice.str.extract(r"(\d+)")[0].astype(int))
    )
    named = (
        kept.product_title.astype(object)
        .fillna(kept.description)
        .fillna(kept.stock_code.astype(str))
        .astype(str)
    )
    titles = named.groupby(kept.stock_code.astype(str).to_numpy()).agg(
        lambda t: t.value_counts().index[0]
    )
    buffer = io.BytesIO()
    np.savez(
        buffer,
        invoice=invoice.astype("uint32"),
        minute=((kept.ts.to_numpy().astype("datetime64[m]") - START).astype("int64")).astype(
            "uint32"
        ),
        stock=stock.astype("uint16"),
        quantity=kept.quantity.to_numpy("int32"),
        price_pence=np.rint(kept.unit_price.to_numpy("float64") * 100).astype("uint32"),
        customer=customer.astype("uint16"),
        is_product=kept.is_product.to_numpy(bool),
        is_cancel=kept.is_cancel.to_numpy(bool),
        stock_codes=np.array(stock_codes, dtype="U16"),
        titles=np.array([titles[code] for code in stock_codes], dtype="U40"),
    )
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_bytes(lzma.compress(buffer.getvalue(), preset=9))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
