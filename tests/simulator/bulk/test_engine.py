"""Bulk operations: states, order of lines, cancelling, failing half way, scopes, a file that lives a week."""

import json
import time

import pytest

from launch.processes import ROOT

RUN = """mutation($q: String!, $grouped: Boolean!) { bulkOperationRunQuery(query: $q, groupObjects: $grouped) {
  bulkOperation { id status } userErrors { message code } } }"""
LOOK = "query($id: ID!) { bulkOperation(id: $id) { status errorCode objectCount rootObjectCount fileSize url partialDataUrl completedAt } }"
ORDERS = "{ orders { edges { node { id lineItems { edges { node { id quantity } } } } } } }"


@pytest.fixture
def start(run):
    def begin(query=ORDERS, *, grouped=True):
        payload = run(RUN, q=query, grouped=grouped)["bulkOperationRunQuery"]
        return payload["bulkOperation"] and payload["bulkOperation"]["id"], [
            error["code"] for error in payload["userErrors"]
        ]

    return begin


@pytest.fixture
def ended(run):
    def wait(gid):
        deadline = time.monotonic() + 20
        while (found := run(LOOK, id=gid)["bulkOperation"])["status"] in (
            "CREATED",
            "RUNNING",
            "CANCELING",
        ):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return found

    return wait


@pytest.fixture
def lines(web):
    def read(url):
        answer = web.get(url.split("5998")[1])
        assert answer.status_code == 200
        return [json.loads(line) for line in answer.data.splitlines()]

    return read


def test_an_operation_is_created_then_completes_and_tells_by_webhook(start, ended, lines, rows):
    gid, errors = start()
    found = ended(gid)

    assert errors == []
    assert (found["status"], found["errorCode"], found["partialDataUrl"]) == (
        "COMPLETED",
        None,
        None,
    )
    objects = lines(found["url"])
    assert found["objectCount"] == str(len(objects))
    assert found["rootObjectCount"] == str(sum("__parentId" not in one for one in objects))
    (told,) = [
        json.loads(row["body"])
        for row in rows("SELECT body FROM deliveries WHERE topic = 'bulk_operations/finish'")
    ]
    assert (told["admin_graphql_api_id"], told["status"], told["type"]) == (
        gid,
        "completed",
        "query",
    )


def test_grouped_children_stand_right_behind_their_parent_and_else_only_behind(start, ended, lines):
    grouped, loose = (lines(ended(start(grouped=flag)[0])["url"]) for flag in (True, False))
    parent = None
    for one in grouped:
        parent = one["id"] if "__parentId" not in one else parent
        assert one.get("__parentId", parent) == parent
    seen = set()
    for one in loose:
        assert "__parentId" not in one or one["__parentId"] in seen
        seen.add(one["id"])

    assert sorted(map(str, grouped)) == sorted(map(str, loose))
    assert grouped != loose


def test_what_fails_half_way_leaves_what_it_had(start, ended, lines, sim):
    sim.faults.set({"bulk_fail": True})
    found = ended(start()[0])

    assert (found["status"], found["errorCode"], found["url"]) == (
        "FAILED",
        "INTERNAL_SERVER_ERROR",
        None,
    )
    assert 0 < len(lines(found["partialDataUrl"])) == int(found["objectCount"])


def test_what_is_cancelled_ends_so(start, run, ended, sim, rows):
    sim.faults.set({"bulk_delay_seconds": 1.0})
    gid, _ = start()
    cancel = "mutation($id: ID!) { bulkOperationCancel(id: $id) { bulkOperation { status } userErrors { message } } }"

    assert run(cancel, id=gid)["bulkOperationCancel"]["bulkOperation"]["status"] == "CANCELING"
    assert ended(gid)["status"] == "CANCELED"
    assert [
        json.loads(row["body"])["status"]
        for row in rows("SELECT body FROM deliveries WHERE topic = 'bulk_operations/finish'")
    ] == ["canceled"]


def test_five_run_at_once_and_a_sixth_is_told_so(start, ended, sim):
    sim.faults.set({"bulk_delay_seconds": 1.0})
    begun = [start() for _ in range(6)]

    assert [errors for _, errors in begun] == [[]] * 5 + [["LIMIT_REACHED"]]
    assert {ended(gid)["status"] for gid, _ in begun[:5]} == {"COMPLETED"}


def test_lost_operations_are_found_by_their_state(start, ended, run):
    gid, _ = start()
    ended(gid)
    find = "query($q: String!) { bulkOperations(first: 5, query: $q) { nodes { id status } } }"

    assert run(find, q="status:COMPLETED operation_type:query")["bulkOperations"]["nodes"] == [
        {"id": gid, "status": "COMPLETED"}
    ]
    assert run(find, q="status:RUNNING")["bulkOperations"]["nodes"] == []


def test_without_the_scope_or_the_approval_an_operation_fails_with_access_denied(
    act, start, ended, sim
):
    sim.faults.set({"pcd_denied": True})
    assert ended(start()[0])["errorCode"] == "ACCESS_DENIED"
    sim.faults.clear()
    act("scopes", revoke=["read_orders"])
    found = ended(start()[0])
    assert (found["status"], found["errorCode"]) == ("FAILED", "ACCESS_DENIED")


def test_a_file_is_there_for_a_week_and_an_empty_one_never(start, ended, web, sim, shop):
    found = ended(start()[0])
    path = found["url"].split("5998")[1]
    assert web.get(path).status_code == 200
    sim.store.connection().execute("UPDATE shops SET now_at = '2099-01-01T00:00:00Z'")
    assert web.get(path).status_code == 403
    assert web.get(f"/{shop}/bulk-files/{'0' * 32}.jsonl").status_code == 404

    empty = ended(
        start(
            "{ orders(query: \"created_at:>='2098-01-01T00:00:00Z'\") { edges { node { id } } } }"
        )[0]
    )
    assert (empty["url"], empty["objectCount"]) == (None, "0")


def test_an_operation_goes_on_after_a_restart(start, make_sim, sim, rows):
    sim.faults.set({"bulk_delay_seconds": 30.0})
    start()
    sim.bulk.stop()
    sim.faults.clear()
    again = make_sim()
    again.bulk.resume()
    deadline = time.monotonic() + 10
    while (
        rows("SELECT status FROM bulk_operations")[0]["status"] != "COMPLETED"
        and time.monotonic() < deadline
    ):
        time.sleep(0.02)

    assert rows("SELECT status FROM bulk_operations") == [{"status": "COMPLETED"}]


AGREEMENTS = (
    ROOT / "tests/simulator/admin_api/documents/bulk_orders_agreements.graphql"
).read_text()


@pytest.mark.parametrize("grouped", [True, False])
def test_the_sales_ledger_can_be_read_in_bulk(start, ended, lines, rows, act, shop, grouped):
    (found,) = rows("SELECT * FROM orders WHERE shop = ? ORDER BY id DESC LIMIT 1", shop)
    (line, *_) = rows("SELECT * FROM order_lines WHERE order_id = ?", found["id"])
    act(f"orders/{found['id']}/refund", lines=[{"line_id": line["id"], "quantity": 1}])
    gid, errors = start(AGREEMENTS.replace("__QUERY__", "test:false"), grouped=grouped)
    written = lines(ended(gid)["url"])

    assert errors == []
    kinds_of = [one["id"].split("/")[3] for one in written]
    if not grouped:
        assert kinds_of == sorted(kinds_of, key=["Order", "SalesAgreement", "Sale"].index)
    mine = [one for one in written if one.get("__parentId") == f"gid://shopify/Order/{found['id']}"]
    assert [one["__typename"] for one in mine] == ["OrderAgreement", "RefundAgreement"]
    (back,) = [one for one in written if one.get("__parentId") == mine[1]["id"]]
    assert back["lineItem"] == {"id": f"gid://shopify/LineItem/{line['id']}"}
    assert (back["actionType"], back["quantity"]) == ("RETURN", -1)


def test_the_ledger_in_bulk_is_refused_in_shopifys_words_on_request(sim, run):
    sim.faults.set({"bulk_agreements_refused": True})
    payload = run(RUN, q=AGREEMENTS.replace("__QUERY__", ""), grouped=False)
    (error,) = payload["bulkOperationRunQuery"]["userErrors"]

    assert error["code"] == "INVALID"
    assert error["message"].endswith("Invalid connections: agreements.")
    assert payload["bulkOperationRunQuery"]["bulkOperation"] is None
