"""Estates as others use them: editors with the JSON Schema, and nats-server with the configurations that are written.

The schema takes the examples, and refuses what the program refuses for its form. The message servers of the two-site
estate run on loopback addresses; clients that speak the bare protocol ask who hears whom and who may say what.

KABUTO_BIN  the program
"""
import copy
import json
import pathlib
import random
import shutil
import socket
import subprocess
import tempfile
import time
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


class Client:
    """The NATS protocol, as much of it as is needed."""

    def __init__(self, address, user=None, password=None):
        self.socket = socket.create_connection((address, 4222), timeout=5)
        self.buffer = b""
        options = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True}
        if user:
            options |= {"user": user, "pass": password}
        self.send(f"CONNECT {json.dumps(options)}")
        self.heard = []
        self.reply = None
        self.subscriptions = 0
        self.flush()

    def send(self, text):
        self.socket.sendall(text.encode() + b"\r\n")

    def line(self, deadline):
        while b"\r\n" not in self.buffer:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode()

    def read(self, is_end, seconds=5.0):
        """Lines until one that ends; those of messages and errors are kept."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self.line(deadline)
            except TimeoutError:
                return None
            if line == "PING":
                self.send("PONG")
            elif line.startswith(("MSG", "HMSG")):
                words = line.split()
                # Between sites an answer may go to another subject than the one that was asked with.
                self.reply = words[3] if line.startswith("MSG") and len(words) == 5 else self.reply
                self.heard.append((words[1], self.line(deadline)))
            elif line.startswith("-ERR"):
                self.heard.append(("-ERR", line))
            if is_end(line):
                return line

    def flush(self):
        self.send("PING")
        if self.read(lambda line: line == "PONG") is None:
            raise TimeoutError("the server does not answer")

    def subscribe(self, subject):
        self.subscriptions += 1
        self.send(f"SUB {subject} {self.subscriptions}")
        return self.refusal()

    def publish(self, subject, text, reply=""):
        self.send(f"PUB {subject} {reply} {len(text)}\r\n{text}")
        return self.refusal()

    def refusal(self):
        self.flush()
        errors = [text for subject, text in self.heard if subject == "-ERR"]
        self.heard = [one for one in self.heard if one[0] != "-ERR"]
        return errors[0] if errors else None

    def hears(self, subject, seconds=5.0):
        """The text of the first message of a subject; None: none came in time."""
        found = lambda: next((text for name, text in self.heard if name == subject), None)
        deadline = time.monotonic() + seconds
        while found() is None and time.monotonic() < deadline:
            self.read(lambda line: line.startswith(("MSG", "HMSG")), deadline - time.monotonic())
        text = found()
        self.heard = [one for one in self.heard if one[0] != subject]
        return text

    def close(self):
        self.socket.close()


@unittest.skipUnless(shutil.which("nats-server"), "nats-server is not installed")
class ServersTest(unittest.TestCase):
    def start(self, name, between_sites=None):
        """Starts the servers of an estate at loopback addresses of this run's own; gives these."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name)
        shift = random.randrange(20, 240)
        text = (ESTATES / f"{name}.yaml").read_text()
        if between_sites:
            text = text.replace("between_sites: gateways", f"between_sites: {between_sites}")
        estate = yaml.safe_load(text)
        for number, server in enumerate(estate["backbone"]["servers"]):
            server["address"] = f"127.{shift}.{number + 1}.10"
        for number, node in enumerate(estate["nodes"]):
            node["address"] = f"127.{shift}.{number + 1}.20"
        (path / "estate.yaml").write_text(yaml.safe_dump(estate))
        names = [node["name"] for node in estate["nodes"]] + ["operator", "rail/a", "rail/b"]
        self.passwords = {name: f"pw-\"\\/@:{name}" for name in names}
        (path / "two-sites.credentials").write_text("".join(f"{n} {p}\n" for n, p in self.passwords.items()))
        self.processes = {}
        addresses = {server["name"]: server["address"] for server in estate["backbone"]["servers"]}
        for server in addresses:
            written = subprocess.run(
                [kabuto.BINARY, "estate", "servers", path / "estate.yaml", "--server", server,
                 "--streams", path / f"streams-{server}"], check=True, capture_output=True, text=True).stdout
            (path / f"{server}.conf").write_text(written)
            process = subprocess.Popen(["nats-server", "-c", path / f"{server}.conf"], stderr=subprocess.DEVNULL)
            self.processes[server] = process
            self.addCleanup(lambda process=process: (process.kill(), process.wait()))
        return addresses

    def client(self, address, user=None):
        deadline = time.monotonic() + 20
        while True:
            try:
                client = Client(address, user, self.passwords[user] if user else None)
                self.addCleanup(client.close)
                return client
            except (ConnectionError, EOFError, TimeoutError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def test_two_sites_hear_each_other_and_nobody_speaks_for_another(self):
        for between_sites in ["gateways", "leafnodes"]:
            with self.subTest(between_sites):
                addresses = self.start("two-sites", between_sites)
                for rail in "ab":
                    plant = self.client(addresses[f"nats-tky-{rail}"], "plant-tky-a")
                    gateway = self.client(addresses[f"nats-osk-{rail}"], "gw-osk-a")
                    self.assertIsNone(gateway.subscribe("px.XTKS.>"))
                    self.assertIsNone(gateway.subscribe("_INBOX.gw-osk-a.g"))
                    # Until the sites have found each other.
                    for _ in range(100):
                        self.assertIsNone(plant.publish("px.XTKS.plant-tky-a.all", rail))
                        if gateway.hears("px.XTKS.plant-tky-a.all", 0.2) == rail:
                            break
                    else:
                        self.fail("nothing crosses between the sites")
                    # A question to a plant and its answers.
                    self.assertIsNone(plant.subscribe("ask.XTKS.plant-tky-a.*"))
                    for _ in range(50):
                        self.assertIsNone(gateway.publish("ask.XTKS.plant-tky-a.replay", "from 7", "_INBOX.gw-osk-a.g"))
                        if plant.hears("ask.XTKS.plant-tky-a.replay", 0.2) == "from 7":
                            break
                    else:
                        self.fail("no question arrives")
                    gateway.heard = []
                    for part in ["one", "two"]:
                        self.assertIsNone(plant.publish(plant.reply, part))
                    self.assertEqual(gateway.hears("_INBOX.gw-osk-a.g"), "one")
                    # In another's name, or what isn't one's part.
                    for client, subject in [
                        (plant, "px.XTKS.plant-tky-b.all"), (plant, "beat.XTKS.plant-osk-a"),
                        (plant, "node.gw-osk-a.command"), (plant, "_INBOX.other"), (plant, "keep.usage.plant-tky-a"),
                        (gateway, "px.XTKS.gw-osk-a.all"), (gateway, "node.plant-tky-a.beat"), (gateway, "node.plant-tky-a.status"),
                        (gateway, "$JS.a.API.STREAM.CREATE.T"), (gateway, "$SYS.REQ.SERVER.PING"),
                    ]:
                        self.assertIn("Permissions Violation", client.publish(subject, "x") or "", subject)
                    self.assertIn("Permissions Violation", gateway.subscribe("ask.XTKS.plant-tky-a.replay") or "")
                    self.assertIn("Permissions Violation", gateway.subscribe("keep.usage.*") or "")
                    # Nor what is answered to others.
                    for subject in ["_INBOX.>", "_INBOX.plant-tky-a.>", "_INBOX.*.g"]:
                        self.assertIn("Permissions Violation", gateway.subscribe(subject) or "", subject)
                    self.assertIsNone(plant.subscribe("beat.XTKS.*"))
                # What must last is kept by the rail's keeper, whichever server it is said to.
                for rail, site in [("a", "osk"), ("b", "tky")]:
                    plant = self.client(addresses[f"nats-{site}-{rail}"], f"plant-{site}-{rail}")
                    inbox = f"_INBOX.plant-{site}-{rail}.p"
                    self.assertIsNone(plant.subscribe(inbox))
                    stream = json.dumps({
                        "name": "T", "subjects": ["keep.ticks.XTKS"], "storage": "file", "retention": "limits",
                        "max_consumers": -1, "max_msgs": -1, "max_bytes": -1, "discard": "old", "num_replicas": 1})
                    for _ in range(50):
                        self.assertIsNone(plant.publish(f"$JS.{rail}.API.STREAM.CREATE.T", stream, inbox))
                        if '"config"' in (plant.hears(inbox, 1) or ""):
                            break
                    else:
                        self.fail("no stream was made")
                    plant.heard = []
                    self.assertIsNone(plant.publish("keep.ticks.XTKS", "tick", inbox))
                    kept = json.loads(plant.hears(inbox))
                    self.assertEqual((kept["stream"], kept["domain"], kept["seq"]), ("T", rail, 1))
                self.doCleanups()

    def test_without_a_password_nobody_comes_in(self):
        addresses = self.start("two-sites")
        self.client(addresses["nats-tky-a"], "operator")
        for user, password in [(None, None), ("operator", "wrong"), ("plant-tky-a", self.passwords["operator"])]:
            with self.subTest(user), self.assertRaises((EOFError, ConnectionError)):
                Client(addresses["nats-tky-a"], user, password).close()

    def test_two_zones_run_on_one_machine_as_they_stand(self):
        addresses = self.start("two-zones")
        plant, gateway = self.client(addresses["nats-tky-b"]), self.client(addresses["nats-tky-b"])
        gateway.subscribe("px.>")
        plant.publish("px.XTKS.plant-tky-a.all", "x")
        self.assertEqual(gateway.hears("px.XTKS.plant-tky-a.all"), "x")


if __name__ == "__main__":
    unittest.main()
