"""A spreadsheet runs nothing that a product's name says, and numbers stay numbers."""

import csv
import io

import pytest

from shopify_app.web import create_app
from tests.web.page_rows import as_json, bearer, restock_row

HOSTILE = [
    '=cmd|"/C calc"!A0',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    '"quoted", with comma',
    "line\nbreak",
    '=HYPERLINK("http://evil.example")',
    "'=already",
    "\u202egnp.exe",
    "%00",
    "＝1",
]


@pytest.mark.parametrize("title", HOSTILE)
@pytest.mark.parametrize("field", ["title", "vendor"])
def test_no_cell_begins_like_a_formula_and_the_file_reads_back_whole(database, acme, title, field):
    client = create_app().test_client()
    number = restock_row(acme, **{field: title})
    client.post(f"/suggestions/{number}/acceptance", headers=bearer(acme))
    order = client.get("/restock", headers=as_json(acme)).json["purchase_orders"][0]

    answer = client.get(order["csv_url"])
    head, row = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))

    assert len(row) == len(head)
    assert not any(cell[:1] in tuple("=+-@\t\r") for cell in row)
    cell = row[head.index("product" if field == "title" else "vendor")]
    assert cell.removeprefix("'") == title.removeprefix("'")
    assert float(row[head.index("unit_cost")]) == 38.5
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert (
        "text/csv" in answer.headers["Content-Type"]
        and answer.headers["X-Content-Type-Options"] == "nosniff"
    )
