"""Reports in the formats of others, read by models that others made of their specifications: OCSF (py-ocsf-models) and SARIF
2.1.0 (sarif-pydantic). ASFF is read by botocore's (test_govern_results.py)."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import findings
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from sarif_pydantic import Sarif


class TheFormats(unittest.TestCase):
    def setUp(self):
        self.history = findings.History()
        self.addCleanup(self.history.end)
        self.history.write("web.json", open_groups=2, open_buckets=2, old_functions=1, plain_volumes=1, unknown_buckets=1)

    def output(self, form, *options):
        found = self.history.check(*options, form=form)
        self.assertEqual(1, found.returncode, found.stderr)
        return json.loads(found.stdout)

    def test_ocsf(self):
        for language in ("en", "ja"):
            events = self.output("ocsf", "--language", language, "--account", "111122223333")
            self.assertEqual(7, len(events))
            for event in events:
                read = ComplianceFinding.model_validate(event)
                self.assertEqual(event["finding_info"]["uid"], read.finding_info.uid)
                self.assertIn(str(read.compliance.status_id.value), "23")

    def test_sarif(self):
        run = Sarif.model_validate(self.output("sarif")).runs[0]
        self.assertEqual(7, len(run.results))
        self.assertEqual({"ssh_closed", "bucket_closed", "function_runtime", "volume_encrypted"}, {result.rule_id for result in run.results})

    def test_a_model_refuses_what_is_wrong(self):
        # Else these tests could not fail.
        event = self.output("ocsf")[0]
        with self.assertRaises(ValueError):
            ComplianceFinding.model_validate({**event, "finding_info": "x"})
        log = self.output("sarif")
        log["runs"][0]["results"][0]["level"] = "bad"
        with self.assertRaises(ValueError):
            Sarif.model_validate(log)


if __name__ == "__main__":
    unittest.main()
