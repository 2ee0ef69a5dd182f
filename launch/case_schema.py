"""`python -m launch case_schema`: writes simulator/case.schema.json anew, from the format itself."""

from simulator.cases.reading import SCHEMA, schema_text


def main() -> int:
    """Write it; a test holds the two together."""
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    return 0
