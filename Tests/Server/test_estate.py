"""The JSON Schema of estates, as editors use it: it takes the examples, and refuses what the program refuses for its form.

KABUTO_BIN  the program
"""
import copy
import json
import pathlib
import subprocess
import tempfile
import unittest

import jsonschema_rs
import yaml

import kabuto

ESTATES = pathlib.Path(__file__).resolve().parents[2] / "Estates"


class SchemaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        text = subprocess.run([kabuto.BINARY, "estate", "schema"], check=True, capture_output=True, text=True).stdout
        cls.schema = json.loads(text)
        jsonschema_rs.meta.validate(cls.schema)
        cls.validator = jsonschema_rs.Draft202012Validator(cls.schema)

    def program_takes(self, estate):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(estate, file, allow_unicode=True)
            file.flush()
            return subprocess.run([kabuto.BINARY, "estate", "check", file.name], capture_output=True).returncode == 0

    def test_examples_are_taken(self):
        for path in sorted(ESTATES.glob("*.yaml")):
            with self.subTest(path.name):
                estate = yaml.safe_load(path.read_text())
                self.assertEqual(list(self.validator.iter_errors(estate)), [])
                # Also as another writer of YAML lays it out.
                self.assertTrue(self.program_takes(estate))

    def test_bad_forms_are_refused_by_both(self):
        good = yaml.safe_load((ESTATES / "two-sites.yaml").read_text())

        def at(path, value):
            def change(estate):
                for step in path[:-1]:
                    estate = estate[step]
                if value is None:
                    del estate[path[-1]]
                else:
                    estate[path[-1]] = value
            return change

        changes = {
            "unknown key": at(["versoin"], 1),
            "unknown key within": at(["links", 0, "latency"], 1),
            "missing": at(["sites", 0, "zones"], None),
            "no version": at(["version"], None),
            "version zero": at(["version"], 0),
            "text for a number": at(["version"], "1"),
            "number for a text": at(["nodes", 0, "name"], 5),
            "list for a text": at(["nodes", 0, "zone"], ["tky-a"]),
            "one end": at(["links", 0, "between"], ["tky-a"]),
            "three ends": at(["links", 0, "between"], ["tky-a", "tky-b", "osk-a"]),
            "negative latency": at(["links", 0, "latency_ms"], -1),
            "role": at(["nodes", 0, "roles"], ["plan"]),
            "no role": at(["nodes", 0, "roles"], []),
            "port": at(["nodes", 0, "port"], 65536),
            "streams": at(["nodes", 4, "streams"], 3),
            "market code": at(["markets", 0, "code"], "xtks"),
            "source": at(["markets", 0, "feed"], "file:x"),
            "name": at(["nodes", 0, "name"], "a b"),
            "boolean": at(["backbone", "servers", 0, "keeps_streams"], "yes"),
            "budget": at(["links", 2, "budgets", "prices"], 0),
            "backend": at(["nodes", 4, "backends"], ["127.0.0.1:80"]),
            "half tls": at(["backbone", "tls"], {"ca": "ca.pem"}),
            "entitlement": at(["tenants", 0, "entitlement"], "free"),
        }
        for name, change in changes.items():
            with self.subTest(name):
                estate = copy.deepcopy(good)
                change(estate)
                self.assertFalse(self.validator.is_valid(estate), name)
                self.assertFalse(self.program_takes(estate), name)


if __name__ == "__main__":
    unittest.main()
