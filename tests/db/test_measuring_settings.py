"""What a merchant chose about measuring, and draws: kept, resting until their day, the rival's apart."""

from datetime import timedelta
from decimal import Decimal

from shopify_app.db import measuring_settings
from shopify_app.db.connection import transaction
from shopify_app.domain.outcome import MeasuringSettings
from tests.factories import NOW, make_variant

DAY = NOW.date()


def act(shop, call, *given, shop_id=None, **named):
    with transaction(shop.shop_id) as conn:
        return call(conn, shop_id or shop.shop_id, *given, **named)


def draw(shop, variant_id, held, rests=30):
    act(shop, measuring_settings.add_draws, [(variant_id, held)], share=Decimal("0.15"), seed=1, drawn_on=DAY,
        rests_until=DAY + timedelta(days=rests))  # fmt: skip


def test_a_choice_is_kept_and_the_rivals_stays(acme, rival):
    chosen = MeasuringSettings(Decimal("0.15"), Decimal("500.00"), Decimal("0.20"))
    act(acme, measuring_settings.save, chosen)
    act(acme, measuring_settings.save, chosen, shop_id=rival.shop_id)

    assert act(acme, measuring_settings.of_shop) == chosen
    assert act(rival, measuring_settings.of_shop) == measuring_settings.DEFAULTS
    assert (
        act(rival, measuring_settings.of_shop, shop_id=acme.shop_id) == measuring_settings.DEFAULTS
    )


def test_a_draw_rests_until_its_day_and_drawing_again_that_day_changes_nothing(acme, rival):
    variant_id = make_variant(acme)
    draw(acme, variant_id, held=True)
    draw(acme, variant_id, held=False)

    assert act(acme, measuring_settings.drawn_variants, DAY) == {variant_id: True}
    assert act(acme, measuring_settings.drawn_variants, DAY + timedelta(days=30)) == {}
    assert act(rival, measuring_settings.drawn_variants, DAY) == {}
    assert act(rival, measuring_settings.drawn_variants, DAY, shop_id=acme.shop_id) == {}
