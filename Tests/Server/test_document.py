"""The OpenAPI document itself, and the server against it: requests that a machine makes up from the document get
no 5xx and no answer that the document doesn't know."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import openapi_spec_validator
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi import checks as openapi_checks
from schemathesis.checks import not_a_server_error

from document import document
from kabuto import trading_server, until

CHECKS = (
    not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
)
# Its answer doesn't end: it has a test of its own here, and its contents are in test_stream.py.
ENDLESS = ("GET", "/v1/events")


class TheDocument(unittest.TestCase):
    def test_it_is_openapi(self):
        openapi_spec_validator.validate(document().content)

    def test_its_examples_are_of_its_schemas(self):
        count = 0
        for path in document().content["paths"].values():
            for operation in path.values():
                for answer in operation["responses"].values():
                    for content in answer.get("content", {}).values():
                        if "example" in content and "$ref" in content["schema"]:
                            document().check(content["schema"]["$ref"].rpartition("/")[2], content["example"])
                            count += 1
        self.assertGreaterEqual(count, 6)

    def test_every_operation_holds_under_made_up_requests(self):
        server = trading_server()
        schema = schemathesis.openapi.from_dict(document().content)
        schema.config.update(base_url=server.url)
        name = server.busy()[0]
        seen = 0
        for each in schema.get_all_operations():
            operation = each.ok()
            if (operation.method.upper(), operation.path) == ENDLESS:
                continue
            seen += 1
            for known in (False, True) if "{instrument}" in operation.path else (False,):
                strategy = operation.as_strategy()

                @settings(max_examples=25, deadline=None, database=None, derandomize=True,
                          phases=[Phase.generate], suppress_health_check=list(HealthCheck))
                @given(case=strategy)
                def holds(case):
                    if known:
                        case.path_parameters = {"instrument": name}
                    case.call_and_validate(checks=CHECKS, timeout=60)

                with self.subTest(operation=operation.label, known=known):
                    holds()
        self.assertGreaterEqual(seen, 13)
        self.assertEqual(server.get("/health/live").status, 200)

    def test_a_stream_of_events_holds_under_made_up_requests(self):
        server = trading_server()
        schema = schemathesis.openapi.from_dict(document().content)
        schema.config.update(base_url=server.url)
        operation = schema["/v1/events"]["GET"]
        known = set(document().content["paths"]["/v1/events"]["get"]["responses"])
        seen = set()

        @settings(max_examples=60, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def holds(case):
            with requests.request(**case.as_transport_kwargs(base_url=server.url), stream=True, timeout=60) as answer:
                seen.add(answer.status_code)
                self.assertIn(str(answer.status_code), known)
                if answer.status_code == 200:
                    self.assertEqual(answer.headers["Content-Type"], "text/event-stream")
                    first = next(answer.iter_lines())
                    self.assertTrue(first.startswith((b"id: ", b"data: [")), first)
                else:
                    document().check("Problem", answer.json())

        holds()
        self.assertIn(200, seen)
        until(lambda: sum(loop["clients"] for loop in server.json("/v1/status")["loops"]) == 0, "no client left")


if __name__ == "__main__":
    unittest.main()
