"""`python -m launch openapi`: write what may be posted, and what errors look like, into docs/openapi.yaml.

Those schemas are made from the models that read the requests; they stand below a mark at the end of
the document. All above it (paths, and the answers of pages) is written by hand and checked against
real answers. A test compares the file with the models.
"""

import json
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shopify_app.usecases.shops.settings_form import MeasuringFields, ShopFields, VendorFields
from shopify_app.web.error_pages import ErrorBody
from shopify_app.web.request_models import (
    AcceptancesRequest,
    DismissalRequest,
    ExportRequest,
    IdsRequest,
    ReceiptRequest,
    RolloutRequest,
)

DOCUMENT: Final = Path(__file__).resolve().parents[1] / "docs" / "openapi.yaml"
MARK: Final = (
    "    # Made from the models by `python -m launch openapi`; nothing below is written by hand.\n"
)
MODELS: Final[tuple[type[BaseModel], ...]] = (
    DismissalRequest,
    IdsRequest,
    AcceptancesRequest,
    RolloutRequest,
    ExportRequest,
    ReceiptRequest,
    ErrorBody,
)


def main(document: Path = DOCUMENT) -> int:
    """Write the schemas anew."""
    document.write_text(written_anew(document.read_text()))
    return 0


def written_anew(text: str) -> str:
    """The document with the schemas of the models below its mark."""
    by_hand, mark, _ = text.partition(MARK)
    if not mark:
        raise SystemExit(f"{DOCUMENT.name} has no line for what is made from the models")
    lines = [
        f"    {name}: {json.dumps(schema, ensure_ascii=False)}\n"
        for name, schema in sorted(schemas().items())
    ]
    return by_hand + mark + "".join(lines)


def schemas() -> dict[str, Any]:
    """Name -> JSON schema of each model."""
    _, found = models_json_schema(
        [(model, "validation") for model in MODELS], ref_template="#/components/schemas/{model}"
    )
    return _untitled(found["$defs"]) | {"SettingsRequest": _settings()}


def _settings() -> dict[str, Any]:
    """The settings form: every field is text, or a number that is read as text."""
    typed = {"type": ["string", "number", "boolean", "null"]}
    vendor = "|".join(VendorFields.model_fields)
    return {
        "type": "object",
        "description": "Fields left out keep their values; shares are percents. `vendor-0` names a vendor, "
        "`vendor-0-lead_time_days` and so on are what is said of it",
        "properties": {
            name: typed for model in (ShopFields, MeasuringFields) for name in model.model_fields
        },
        "patternProperties": {
            "^vendor-[0-9]+$": {"type": "string"},
            f"^vendor-[0-9]+-({vendor})$": typed,
        },
    }


def _untitled(schema: Any) -> Any:
    """Without the titles that pydantic makes of names."""
    if isinstance(schema, dict):
        return {
            name: _untitled(value)
            for name, value in schema.items()
            if name != "title" or not isinstance(value, str)
        }
    return [_untitled(one) for one in schema] if isinstance(schema, list) else schema


if __name__ == "__main__":
    raise SystemExit(main())
