"""What the planner knows of how large tables are: nothing, until they are analysed."""

from shopify_app.db.connection import Connection


def know_sizes(conn: Connection) -> None:
    """Have small tables, and those that were never looked at, analysed now; as the sweeper: sizes are of no one shop.

    Of a table of unknown size any index that begins with the shop looks as good as its key, and then every reference to
    a row is looked for among all the rows of its shop.
    """
    with conn.cursor() as cur:
        cur.execute("SELECT know_sizes()")
