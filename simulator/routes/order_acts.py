"""Orders and what becomes of them: placed, paid, edited, refunded, cancelled, returned, exchanged, deleted."""

from decimal import Decimal

from flask import Response

from simulator.routes.act_bodies import act, decimal, item, lines, terms
from simulator.routes.control_blueprint import control_blueprint, request_body
from simulator.world import merchant

bp = control_blueprint("order_acts")


@bp.post("/<shop>/orders")
def order(shop: str) -> Response:
    """Someone buys; the order's id."""
    body = request_body()
    items = [item(line) for line in body.get("lines") or ()]
    customer = body.get("customer_id")
    how = terms(body)
    return act(
        shop,
        lambda conn, sim, at: merchant.place_order(
            conn,
            sim.store,
            shop,
            items,
            at=at,
            customer_id=None if customer is None else int(customer),
            test=bool(body.get("test")),
            terms=how,
        ),
    )


@bp.post("/<shop>/orders/<int:order_id>/payment")
def payment(shop: str, order_id: int) -> Response:
    """The payment is made, voided, expires."""
    status = str(request_body()["status"])
    return act(
        shop,
        lambda conn, sim, at: merchant.set_payment(conn, sim.store, shop, order_id, status, at=at),
    )


@bp.post("/<shop>/orders/<int:order_id>/refund")
def refund(shop: str, order_id: int) -> Response:
    """The merchant gives back; the refund's id."""
    body = request_body()
    wanted, kind = lines(body), str(body.get("restock_type", "return"))
    amount, shipping = decimal(body, "amount"), decimal(body, "shipping")
    return act(
        shop,
        lambda conn, sim, at: merchant.refund_order(
            conn,
            sim.store,
            shop,
            order_id,
            wanted,
            restock_type=kind,
            at=at,
            amount=amount,
            shipping=shipping,
        ),
    )


@bp.post("/<shop>/orders/<int:order_id>/cancel")
def cancel(shop: str, order_id: int) -> Response:
    """The merchant cancels."""
    return act(
        shop, lambda conn, sim, at: merchant.cancel_order(conn, sim.store, shop, order_id, at=at)
    )


@bp.post("/<shop>/orders/<int:order_id>/edit")
def edit(shop: str, order_id: int) -> Response:
    """The merchant changes an order: `add` a line, or of `line_id` the units by `delta`, the `price`, the `discount`."""
    body = request_body()
    if "add" in body:
        added = item(body["add"])
        return act(
            shop,
            lambda conn, sim, at: merchant.add_line(conn, sim.store, shop, order_id, added, at=at),
        )
    line_id = int(body["line_id"])
    if "delta" in body:
        delta = int(body["delta"])
        return act(
            shop,
            lambda conn, sim, at: merchant.edit_order(
                conn, sim.store, shop, order_id, line_id, delta, at=at
            ),
        )
    price, discount = decimal(body, "price"), decimal(body, "discount")
    return act(
        shop,
        lambda conn, sim, at: merchant.change_line(
            conn, sim.store, shop, order_id, line_id, price=price, discount=discount, at=at
        ),
    )


@bp.post("/<shop>/orders/<int:order_id>/delete")
def delete(shop: str, order_id: int) -> Response:
    """The merchant deletes an order."""
    return act(
        shop, lambda conn, sim, at: merchant.delete_order(conn, sim.store, shop, order_id, at=at)
    )


@bp.post("/<shop>/orders/<int:order_id>/returns")
def request_return(shop: str, order_id: int) -> Response:
    """A shopper asks to give back; the return's id."""
    wanted = lines(request_body())
    return act(
        shop,
        lambda conn, sim, at: merchant.request_return(
            conn, sim.store, shop, order_id, wanted, at=at
        ),
    )


@bp.post("/<shop>/returns/<int:return_id>/approve")
def approve_return(shop: str, return_id: int) -> Response:
    """The merchant lets the goods come."""
    return act(
        shop, lambda conn, sim, at: merchant.approve_return(conn, sim.store, shop, return_id, at=at)
    )


@bp.post("/<shop>/returns/<int:return_id>/decline")
def decline_return(shop: str, return_id: int) -> Response:
    """The merchant refuses."""
    return act(
        shop, lambda conn, sim, at: merchant.decline_return(conn, sim.store, shop, return_id, at=at)
    )


@bp.post("/<shop>/returns/<int:return_id>/process")
def process_return(shop: str, return_id: int) -> Response:
    """The goods are here; the refund's id."""
    body = request_body()
    items, fee = [item(line) for line in body.get("items") or ()], decimal(body, "restocking_fee")
    amount, kind = decimal(body, "amount"), str(body.get("restock_type", "return"))
    return act(
        shop,
        lambda conn, sim, at: merchant.process_return(
            conn,
            sim.store,
            shop,
            return_id,
            at=at,
            items=items,
            fee=fee or Decimal(0),
            amount=amount,
            restock_type=kind,
        ),
    )


@bp.post("/<shop>/orders/<int:order_id>/exchange")
def exchange(shop: str, order_id: int) -> Response:
    """Goods come back and others go out; the return's id."""
    body = request_body()
    wanted, items = lines(body), [item(line) for line in body.get("items") or ()]
    fee = decimal(body, "restocking_fee") or Decimal(0)
    return act(
        shop,
        lambda conn, sim, at: merchant.exchange(
            conn, sim.store, shop, order_id, wanted, items, at=at, fee=fee
        ),
    )
