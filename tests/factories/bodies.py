"""A small valid body for any operation, made from what OpenAPI says of it."""

import re
from datetime import timedelta
from typing import Any

from shop.core import clock
from shop.demo.papers import paper

PDF = paper("A paper")
#: What fits the patterns that our schemas use, tried in turn.
_TEXTS = ["1.00", "1", "023-65100000", "500236", "SKU-1", "sku-1", "a" * 20, "https://example.org/hook", "0" * 64]


class Bodies:
    def __init__(self, document: dict[str, Any]) -> None:
        self.schemas = document["components"]["schemas"]
        self.paths = document["paths"]

    def request(self, method: str, path: str) -> dict[str, Any]:
        """The keyword arguments of a request: ``json``, or ``data`` and ``files``, or nothing."""
        content = self.paths[path][method.lower()].get("requestBody", {}).get("content", {})
        if "application/json" in content:
            return {"json": self.sample(content["application/json"]["schema"])}
        if "multipart/form-data" in content:
            form = self._resolved(content["multipart/form-data"]["schema"])
            files = {name for name, each in form["properties"].items() if _is_file(each)}
            data = {name: self.sample(form["properties"][name]) for name in form.get("required", []) if name not in files}
            return {"data": data, "files": dict.fromkeys(files, ("paper.pdf", PDF))}
        return {}

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        return self.schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema

    def sample(self, schema: dict[str, Any]) -> Any:
        schema = self._resolved(schema)
        if schema.get("examples"):
            return schema["examples"][0]
        for choice in ("anyOf", "oneOf", "allOf"):
            if choice in schema:
                return self.sample(next(each for each in schema[choice] if each.get("type") != "null"))
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        return getattr(self, f"_{schema.get('type', 'object')}")(schema)

    def _object(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {name: self.sample(schema["properties"][name]) for name in schema.get("required", [])}

    def _array(self, schema: dict[str, Any]) -> list[Any]:
        return [self.sample(schema["items"]) for _ in range(schema.get("minItems", 0))]

    def _string(self, schema: dict[str, Any]) -> str:
        tomorrow = clock.now() + timedelta(days=1)
        if schema.get("format") == "date":
            return clock.shanghai_date(tomorrow).isoformat()
        if schema.get("format") == "date-time":
            return tomorrow.isoformat()
        if pattern := schema.get("pattern"):
            return next((text for text in _TEXTS if re.search(pattern, text)), "x")
        return "理由充分，请予办理。".ljust(schema.get("minLength", 0), "。")[: schema.get("maxLength", 500)]

    def _integer(self, schema: dict[str, Any]) -> int:
        return max(schema.get("minimum", 1), 1)

    def _number(self, schema: dict[str, Any]) -> float:
        return float(self._integer(schema))

    def _boolean(self, schema: dict[str, Any]) -> bool:
        return True


def _is_file(schema: dict[str, Any]) -> bool:
    return schema.get("format") == "binary" or "contentMediaType" in schema or any(map(_is_file, schema.get("anyOf", [])))
