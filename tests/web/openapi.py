"""The document of our JSON, and an answer held against it."""

from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

DOCUMENT = yaml.safe_load((Path(__file__).parents[2] / "docs" / "openapi.yaml").read_text())


def check(answer, path, method="get"):
    described = DOCUMENT["paths"][path][method]["responses"][str(answer.status_code)]
    name = described["$ref"].rsplit("/", 1)[1]
    schema = DOCUMENT["components"]["responses"][name]["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(answer.json)
