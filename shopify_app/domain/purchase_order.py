"""Purchase orders: what tells that one has arrived."""

from typing import Final

LEAST_RISE: Final = 3
"""Units by which a shelf must rise in a day to tell that stock has come: corrections and returns are smaller."""
