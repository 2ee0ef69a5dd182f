"""What is on the shelf and on its way."""

import pytest

from shopify_app.domain.product import inventory_position_units


@pytest.mark.parametrize(
    ("available", "incoming", "position"), [(4, 30, 34), (-2, 5, 3), (0, 0, 0)]
)
def test_the_position_counts_what_is_on_its_way_and_what_is_owed(available, incoming, position):
    assert inventory_position_units(available, incoming) == position
