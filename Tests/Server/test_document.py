"""The OpenAPI document itself, and the server against it: requests that a machine makes up from the document get
no 5xx and no answer that the document doesn't know."""

import json
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import openapi_spec_validator
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings, strategies
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
# Requests made up for one operation end after so long, however many there were; never before the first few.
BUDGET_SECONDS, FEWEST = 15, 5
METHODS = {"get", "head", "post", "put", "patch", "delete", "options", "trace"}


class Budget:
    """Whether there is time for one more made-up request."""

    def __init__(self):
        self.end = time.monotonic() + BUDGET_SECONDS
        self.count = 0

    def allows(self):
        self.count += 1
        return self.count <= FEWEST or time.monotonic() < self.end


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
        seen = {ENDLESS}
        for each in schema.get_all_operations():
            operation = each.ok()
            if (operation.method.upper(), operation.path) == ENDLESS:
                continue
            seen.add((operation.method.upper(), operation.path))
            for known in (False, True) if "{instrument}" in operation.path else (False,):
                strategy = operation.as_strategy()
                budget = Budget()

                @settings(max_examples=25, deadline=None, database=None, derandomize=True,
                          phases=[Phase.generate], suppress_health_check=list(HealthCheck))
                @given(case=strategy)
                def holds(case):
                    if not budget.allows():
                        return
                    if known:
                        case.path_parameters = {"instrument": name}
                    case.call_and_validate(checks=CHECKS, timeout=60)

                with self.subTest(operation=operation.label, known=known):
                    holds()
        # Every operation that the document has, and every path.
        wanted = {(method.upper(), path) for path, operations in document().content["paths"].items()
                  for method in operations if method in METHODS}
        self.assertEqual(seen, wanted)
        self.assertEqual(server.get("/health/live").status, 200)

    def test_a_stream_of_events_holds_under_made_up_requests(self):
        server = trading_server()
        schema = schemathesis.openapi.from_dict(document().content)
        schema.config.update(base_url=server.url)
        operation = schema["/v1/events"]["GET"]
        known = set(document().content["paths"]["/v1/events"]["get"]["responses"])
        seen = set()
        budget = Budget()

        @settings(max_examples=60, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def holds(case):
            if not budget.allows():
                return
            with requests.request(**case.as_transport_kwargs(base_url=server.url), stream=True, timeout=60) as answer:
                seen.add(answer.status_code)
                self.assertIn(str(answer.status_code), known)
                if answer.status_code == 200:
                    self.assertEqual(answer.headers["Content-Type"], "text/event-stream")
                    first = next(answer.iter_lines())
                    self.assertTrue(first.startswith((b"id: ", b"data: [")), first)
                else:
                    document().check("Denial" if answer.status_code == 403 else "Problem", answer.json())

        holds()
        if 200 not in seen:  # chance may have made up nothing right
            with requests.get(server.url + "/v1/events", params={"channel": "quotes", "instruments": "*"}, stream=True,
                              timeout=60) as answer:
                self.assertEqual(answer.status_code, 200)
        until(lambda: sum(loop["clients"] for loop in server.json("/v1/status")["loops"]) == 0, "no client left")

    def test_a_stream_answers_every_handshake_as_documented(self):
        server = trading_server()
        known = set(document().content["paths"]["/v1/stream"]["get"]["responses"])
        key = "dGhlIHNhbXBsZSBub25jZQ=="
        text = strategies.text(strategies.characters(min_codepoint=33, max_codepoint=126), max_size=20)

        def mostly(*right):
            return strategies.one_of(strategies.none(), strategies.sampled_from(right), text)

        handshake = strategies.fixed_dictionaries({
            "Upgrade": mostly("websocket", "WebSocket", "h2c"), "Connection": mostly("Upgrade", "keep-alive, Upgrade", "close"),
            "Sec-WebSocket-Version": mostly("13", "8"), "Sec-WebSocket-Key": mostly(key, key[:-4]),
            "Sec-WebSocket-Protocol": mostly("chat"), "Sec-WebSocket-Extensions": mostly("permessage-deflate"),
        })
        seen, budget = set(), Budget()

        @settings(max_examples=80, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))
        @given(headers=handshake)
        def holds(headers):
            if budget.allows():
                check({name: value for name, value in headers.items() if value is not None})

        def check(headers):
            connection = server.connection()
            try:
                connection.request("GET", "/v1/stream", headers=headers)
                answer = connection.getresponse()
                seen.add(answer.status)
                self.assertIn(str(answer.status), known, headers)
                if answer.status != 101:
                    self.assertEqual(answer.headers["Content-Type"].partition(";")[0], "application/problem+json")
                    document().check("Problem", json.loads(answer.read()))
            finally:
                connection.close()

        holds()
        good = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key}
        for missing in (None, *good):
            check({name: value for name, value in good.items() if name != missing})
        self.assertLessEqual({101, 400, 426}, seen)


if __name__ == "__main__":
    unittest.main()
