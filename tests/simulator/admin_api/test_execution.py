"""Protected customer data without its approval: denied by name, wherever it is asked for."""


def test_protected_data_is_denied_by_name_and_products_are_not(sim, api):
    sim.faults.set({"pcd_denied": True})

    def post(query):
        return api(query).json

    for query in (
        "{ orders(first: 1) { nodes { id } } }",
        '{ nodes(ids: ["gid://shopify/Order/1"]) { id } }',
        '{ order(id: "gid://shopify/Order/1") { id } }',
    ):
        (error,) = post(query)["errors"]
        assert error["message"].startswith("This app is not approved to access the Order object")
        assert error["extensions"]["code"] == "ACCESS_DENIED"
        assert error["path"]
    assert "errors" not in post("{ products(first: 1) { nodes { id } } }")
