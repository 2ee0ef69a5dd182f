"""What the routes' tests look at."""

import json

import pytest


@pytest.fixture
def look(web, shop):
    def get(what, **query):
        return web.get(f"/_sim/{shop}/{what}", query_string=query).json

    return get


@pytest.fixture
def told(rows):
    """(topic, body) of every delivery so far."""

    def deliveries():
        return [
            (row["topic"], json.loads(row["body"]))
            for row in rows("SELECT topic, body FROM deliveries ORDER BY seq")
        ]

    return deliveries
