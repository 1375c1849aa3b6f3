"""The served OpenAPI document as a judge of answers and of the stream's frames."""

import jsonschema_rs

import kabuto


class Document:
    def __init__(self, server):
        self.content = server.json("/openapi.json")
        self.validators = {}

    def validator(self, name):
        if name not in self.validators:
            schema = {"$ref": f"#/components/schemas/{name}", "components": self.content["components"]}
            self.validators[name] = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        return self.validators[name]

    def check(self, name, value):
        validator = self.validator(name)
        if not validator.is_valid(value):
            error = next(validator.iter_errors(value))
            raise AssertionError(f"{name}: {error.instance_path}: {error.message}\n{str(value)[:600]}")

    EVENTS = {
        ("snapshot", "quotes"): "QuoteSnapshot",
        ("update", "quotes"): "QuoteUpdate",
        ("snapshot", "books"): "BookSnapshot",
        ("update", "books"): "BookUpdate",
        ("snapshot", "trades"): "TradesSnapshot",
        ("update", "trades"): "TradeUpdate",
        ("snapshot", "bars"): "BarSnapshot",
        ("update", "bars"): "BarUpdate",
    }

    def check_event(self, event):
        kind = event["type"]
        name = self.EVENTS.get((kind, event.get("channel"))) or kind.capitalize() + "Event"
        self.check(name, event)


_document = None


def document():
    global _document
    if _document is None:
        _document = Document(kabuto.trading_server())
    return _document
