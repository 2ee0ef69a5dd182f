"""Days go by one after the other: each is delivered, told, and worked on before the next."""

import base64
import hashlib
import hmac
import json
import time

import pytest

from tests.simulator.conftest import SECRET


def signature(body):
    return base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()


def walked(web, shop, seconds=60):
    """What is told of the walk once it is over."""
    deadline = time.monotonic() + seconds
    while not (found := web.get(f"/_sim/{shop}/days").json)["is_over"]:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def told_moments(receiver):
    """(place among all posts, moment) of every day that the app was told."""
    return [
        (place, json.loads(one.body)["now"])
        for place, one in enumerate(receiver.got)
        if one.path == "/development/clock" and "now" in json.loads(one.body)
    ]


def test_each_day_is_told_once_after_its_deliveries_and_under_our_signature(
    sim, shop, web, receiver
):
    sim.start()
    before = web.get(f"/_sim/{shop}/state").json["now"]

    assert web.post(f"/_sim/{shop}/days", json={"days": 3}).status_code == 202
    found = walked(web, shop)

    assert (found["days"], found["passed"], found["waits_for"]) == (3, 3, "")
    moments = told_moments(receiver)
    assert len(moments) == 3
    assert [before, *[moment for _, moment in moments]] == sorted(
        {before, *(m for _, m in moments)}
    )
    assert moments[-1][1] == web.get(f"/_sim/{shop}/state").json["now"]
    for place, moment in moments:
        late = [
            one
            for one in receiver.got[place:]
            if one.path != "/development/clock" and one.headers["x-shopify-triggered-at"] < moment
        ]
        assert late == []  # the day's own news was there before
    for one in receiver.got:
        if one.path == "/development/clock":
            assert one.headers["x-shopify-hmac-sha256"] == signature(one.body)


def test_an_app_that_is_away_holds_no_day_up(sim, shop, web, receiver):
    receiver.always = 404
    assert web.post(f"/_sim/{shop}/days", json={"days": 2}).status_code == 202
    sim.start()
    sim.faults.set({"webhook_retry_scale": 0.0001})
    assert walked(web, shop)["passed"] == 2


def test_while_days_go_by_no_others_begin_and_a_wrong_number_never_does(sim, shop, web):
    for wrong in (0, -1, 367, "many"):
        assert web.post(f"/_sim/{shop}/days", json={"days": wrong}).status_code == 400
    assert web.get(f"/_sim/{shop}/days").json["is_over"]
    assert web.post(f"/_sim/{shop}/days", json={"days": 5}).status_code == 202
    assert web.post(f"/_sim/{shop}/days", json={"days": 1}).status_code == 409


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_shop_has_no_days(web, shop, method):
    assert getattr(web, method)("/_sim/nobody.myshopify.com/days").status_code == 404
