"""Messages to topics of SNS: published by real checks and scans to moto's real server, and read back from a queue of SQS
that is subscribed to the topic.

    python -m unittest -v Tests/Server/test_govern_notify.py
"""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import findings
import kabuto
import live_account

REGION = "eu-west-1"


@unittest.skipIf(live_account.MISSING, live_account.MISSING)
class TheTopics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.moto = live_account.Moto()
        cls.addClassCleanup(cls.moto.end)

    def setUp(self):
        self.gate = live_account.Gate(self.moto.port)
        self.addCleanup(self.gate.end)
        self.history = findings.History()
        self.addCleanup(self.history.end)
        empty = {name: "" for name in os.environ if name.startswith("AWS_")}
        # The key's home is another region than the topic's: the topic's own counts.
        self.environment = {
            **empty, "AWS_ACCESS_KEY_ID": live_account.KEY, "AWS_SECRET_ACCESS_KEY": live_account.SECRET, "AWS_REGION": "us-east-1",
            "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere", "AWS_EC2_METADATA_DISABLED": "true"}
        self.sns = self.moto.client("sns", REGION)
        self.sqs = self.moto.client("sqs", REGION)

    def subscribed(self, name, is_ordered=False):
        """A topic and the queue that gets what it is told."""
        topic = self.sns.create_topic(Name=name, Attributes={"FifoTopic": "true"} if is_ordered else {})["TopicArn"]
        queue = self.sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if is_ordered else {})["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return topic, queue

    def told(self, queue):
        """What came to the queue so far, as SNS wraps it."""
        out = []
        while True:
            messages = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages", [])
            if not messages:
                return out
            for message in messages:
                out.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])

    def targets(self, text):
        path = os.path.join(self.history.folder, "targets.yaml")
        with open(path, "w", encoding="utf-8") as out:
            out.write("targets:\n" + text)
        return path

    def check(self, notify):
        return kabuto.run(
            "govern", "check", "--rules", self.history.rules, "--input", self.history.templates, "--data", self.history.data,
            "--notify", notify, environment=self.environment)

    def deliver(self, *notify):
        found = kabuto.run(
            "govern", "notify", "--data", self.history.data, "--attempts", "1", "--json", *notify, environment=self.environment)
        self.assertNotIn(live_account.SECRET, found.stdout + found.stderr)
        return found, json.loads(found.stdout)

    def test_a_check_tells_a_topic_and_only_changes(self):
        topic, queue = self.subscribed("findings")
        text, mail = self.subscribed("people")
        path = self.targets(
            f"  - {{name: machines, sns: '{topic}', endpoint: '{self.gate.url}/'}}\n"
            f"  - {{name: people, sns: '{text}', endpoint: '{self.gate.url}', format: text, language: ja}}\n")
        self.history.write("web.json", open_groups=1, open_buckets=2)
        found = self.check(path)
        self.assertEqual(1, found.returncode, found.stderr)
        self.assertIn("2 messages sent", found.stderr)
        [envelope] = self.told(queue)
        self.assertEqual("Kabuto (check): New 3", envelope["Subject"])
        message = json.loads(envelope["Message"])
        self.assertEqual([("opened", 3)], [(group["kind"], group["count"]) for group in message["groups"]])
        self.assertEqual(message["id"], envelope["MessageAttributes"]["Kabuto-Message-Id"]["Value"])
        [envelope] = self.told(mail)
        self.assertEqual("Kabuto (check): New 3", envelope["Subject"])
        self.assertIn("[緊急] ポート22を全開放しない", envelope["Message"])
        self.assertEqual({("sns", REGION, "Publish")}, set(self.gate.seen))
        # The same again is no news.
        self.assertEqual(1, self.check(path).returncode)
        self.assertEqual([], self.told(queue) + self.told(mail))

    def test_a_scan_that_may_not_publish_keeps_its_message(self):
        topic, queue = self.subscribed("denied")
        self.moto.client("ec2", REGION).create_volume(AvailabilityZone=REGION + "a", Size=8, Encrypted=False)
        self.gate.rule = lambda service, region, action: (403, "AuthorizationError") if action == "Publish" else None
        found = kabuto.run(
            "govern", "scan", "--own-only", "--rules", self.history.rules, "--endpoint", self.gate.url, "--regions", REGION, "--data",
            self.history.data, "--json", "--notify", f"sns:{topic}", environment=self.environment)
        self.assertEqual(2, found.returncode, found.stderr)
        self.assertIn("AuthorizationError", found.stderr)
        self.assertIn("tried again at the next run", found.stderr)
        self.assertNotIn(live_account.SECRET, found.stdout + found.stderr)
        self.assertGreaterEqual(json.loads(found.stdout)["failed"], 1)
        self.assertEqual([], self.told(queue))
        still, report = self.deliver("--notify", f"sns:{topic}", "--endpoint", self.gate.url)
        self.assertEqual((1, 0, 1), (still.returncode, report["sent"], report["waiting"]))
        self.gate.rule = lambda service, region, action: None
        after, report = self.deliver("--notify", f"sns:{topic}", "--endpoint", self.gate.url)
        self.assertEqual((0, 1, 0), (after.returncode, report["sent"], report["waiting"]), after.stderr)
        [envelope] = self.told(queue)
        self.assertTrue(envelope["Subject"].startswith("Kabuto (scan): "))
        _, report = self.deliver("--notify", f"sns:{topic}", "--endpoint", self.gate.url)
        self.assertEqual(0, report["sent"])
        self.assertEqual([], self.told(queue))

    def test_a_topic_in_order_gets_a_message_once_though_it_is_sent_twice(self):
        topic, queue = self.subscribed("ordered.fifo", is_ordered=True)
        path = self.targets(f"  - {{name: ordered, sns: '{topic}', endpoint: '{self.gate.url}'}}\n")
        self.history.write("web.json", open_groups=1)
        self.assertEqual(1, self.check(path).returncode)
        # As if the process had died before it knew that SNS has the message.
        self.history.sql("UPDATE message SET sent = NULL")
        _, report = self.deliver("--notify", path)
        self.assertEqual(1, report["sent"], report)
        self.assertEqual(2, self.gate.seen.count(("sns", REGION, "Publish")))
        self.assertEqual(1, len(self.told(queue)))

    def test_a_topic_that_is_gone_is_told_and_given_up(self):
        path = self.targets(
            f"  - {{name: gone, sns: 'arn:aws:sns:{REGION}:111122223333:gone', endpoint: '{self.gate.url}'}}\n")
        self.history.write("web.json", open_groups=1)
        found = self.check(path)
        self.assertEqual(2, found.returncode, found.stderr)
        self.assertIn("target gone: SNS: NotFound", found.stderr)
        self.assertIn("given up", found.stderr)
        found, report = self.deliver("--notify", path)
        self.assertEqual((0, 0, 0), (found.returncode, report["waiting"], report["given_up"]))

    def test_what_is_no_topic_is_a_fault_and_the_run_is_kept(self):
        self.history.write("web.json", open_groups=1)
        found = self.check("sns:arn:aws:sns:eu-west-1.evil.example/:111122223333:t")
        self.assertEqual(2, found.returncode)
        self.assertIn("no topic; wanted sns:arn:aws:sns:REGION:ACCOUNT:NAME", found.stderr)
        self.assertEqual(1, self.history.told("list")["total"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
