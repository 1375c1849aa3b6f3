"""The proxies under comparison, each with one worker on one core, in front of the same backend: nginx and Apache as
Debian packages them, with and without ModSecurity, and Kabuto's firewall. Configuration, logs and sockets are in the
benchmark's temporary folder; only what was started here is ended.
"""
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import bench
import corpora
import rulesets

NGINX_MODULE = "/usr/lib/nginx/modules/ngx_http_modsecurity_module.so"
APACHE_MODULES = "/usr/lib/apache2/modules"
# Of the two cores, the server has one; backend and client share the other.
SERVER_CORE, CLIENT_CORE = 0, min(1, (os.cpu_count() or 1) - 1)
BODY_LIMIT = "16m"


def pinned(core, command):
    return ["taskset", "-c", str(core), *command]


def client(*arguments, background=False, **more):
    """Runs httpclient to its end; what it counted."""
    command = pinned(CLIENT_CORE, [bench.tool("Firewall/httpclient.c"), *map(str, arguments)])
    process = bench.start(command, stdout=subprocess.PIPE, text=True, **more)
    return process if background else finished(process)


def finished(process):
    import json
    text, _ = process.communicate()
    if process in bench._running:
        bench._running.remove(process)
    if process.returncode not in (0, 1) or not text:
        raise SystemExit(f"httpclient ended with status {process.returncode}")
    return json.loads(text)


def prepared(requests, name, cases=corpora.CASES):
    """A file of raw requests for httpclient; the number of a case is its place among `cases`."""
    path = os.path.join(bench.folder(), name)
    with open(path, "wb") as out:
        for one in requests:
            data = corpora.raw(one)
            out.write(struct.pack("<II", cases.index(one["case"]), len(data)) + data)
    return path


def tree(pid):
    """A process and all below it."""
    found = [pid]
    for one in found:
        try:
            for task in os.listdir(f"/proc/{one}/task"):
                with open(f"/proc/{one}/task/{task}/children") as text:
                    found += [int(child) for child in text.read().split()]
        except OSError:
            continue
    return found


class Server:
    """One that listens on a free port; `rules` says whether requests are examined."""

    name, rules = "", False

    def __init__(self, command, port, log):
        self.port, self.log = port, log
        self.process = bench.start(pinned(SERVER_CORE, command), stdout=log, stderr=log)
        self.pid = self.process.pid
        began = time.monotonic()
        while True:
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended with status {self.process.returncode}:\n{self.tail()}")
            try:
                with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/ready", headers={"Host": "www.example.com", "User-Agent": corpora.BROWSER,
                                                                                                         "Accept": "*/*"}), timeout=5):
                    break
            except urllib.error.HTTPError:
                break
            except OSError:
                pass
            if time.monotonic() - began > 60:
                raise SystemExit(f"{self.name} did not begin to answer:\n{self.tail()}")
            time.sleep(0.05)

    def tail(self):
        with open(self.log.name, errors="replace") as text:
            return text.read()[-2000:]

    def cpu(self):
        total = 0.0
        for pid in tree(self.pid):
            try:
                total += bench.cpu_seconds(pid)
            except (OSError, ProcessLookupError):
                continue
        return total

    def resident(self):
        """Of all its processes: private pages, and shared ones divided among those that share them."""
        total = 0
        for pid in tree(self.pid):
            try:
                with open(f"/proc/{pid}/smaps_rollup") as lines:
                    total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
            except OSError:
                continue
        return total

    def reload(self):
        os.kill(self.pid, signal.SIGHUP)

    def end(self):
        bench.end(self.process)


def place(name):
    folder = os.path.join(bench.folder(), name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    # Apache's children are another user.
    for one in (bench.folder(), folder):
        os.chmod(one, 0o777)
    return folder


class Backend(Server):
    name = "backend"

    def __init__(self):
        port = bench.free_port()
        self.port = port
        self.process = bench.start(pinned(CLIENT_CORE, [bench.tool("Firewall/backend.c"), str(port)]))
        self.pid = self.process.pid


class Nginx(Server):
    def __init__(self, backend, rules=None, extra="", threads=1, **how):
        self.name, self.rules = "nginx + libmodsecurity" if rules else "nginx", bool(rules)
        folder, port = place(f"nginx-{'rules' if rules else 'plain'}-{bench.free_port()}"), bench.free_port()
        self.folder = folder
        module, on = "", ""
        if rules:
            self.main = rules if isinstance(rules, str) else rulesets.main(folder, extra=extra, audit=os.path.join(folder, "audit.log"), **how)
            module, on = f"load_module {NGINX_MODULE};", f"modsecurity on; modsecurity_rules_file {self.main};"
        user = "user root;" if os.geteuid() == 0 else ""
        config = os.path.join(folder, "nginx.conf")
        with open(config, "w") as out:
            out.write(f"""{module} {user} daemon off; worker_processes {threads}; pid {folder}/pid; error_log {folder}/error.log error;
events {{ worker_connections 16384; }}
http {{
  access_log {folder}/access.log combined; client_max_body_size {BODY_LIMIT}; keepalive_requests 1000000; keepalive_timeout 300;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream application {{ server 127.0.0.1:{backend}; keepalive 64; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=8192; {on}
    location / {{ proxy_pass http://application; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; }}
  }}
}}
""")
        super().__init__(["nginx", "-e", f"{folder}/error.log", "-c", config], port, open(os.path.join(folder, "output"), "wb"))


class Apache(Server):
    def __init__(self, backend, rules=None, extra="", **how):
        self.name, self.rules = "Apache + ModSecurity 2.9" if rules else "Apache", bool(rules)
        folder, port = place(f"apache-{'rules' if rules else 'plain'}-{bench.free_port()}"), bench.free_port()
        self.folder = folder
        modules = ["mpm_event", "authz_core", "reqtimeout", "proxy", "proxy_http", *(["unique_id", "security2"] if rules else [])]
        loads = "".join(f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so\n" for name in modules)
        on = ""
        if rules:
            self.main = rules if isinstance(rules, str) else rulesets.main(folder, flavour="apache", extra=extra, audit=os.path.join(folder, "audit.log"), **how)
            on = f"Include {self.main}\n"
        user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
        config = os.path.join(folder, "apache.conf")
        with open(config, "w") as out:
            out.write(f"""ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/pid
Listen 127.0.0.1:{port}
ServerName www.example.com
{loads}{user}StartServers 1
ServerLimit 1
ThreadLimit 64
ThreadsPerChild 64
MaxRequestWorkers 64
MinSpareThreads 1
MaxSpareThreads 64
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 300
ErrorLog {folder}/error.log
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\"" combined
CustomLog {folder}/access.log combined
<Location />
Require all granted
</Location>
ProxyPass / http://127.0.0.1:{backend}/
{on}""")
        super().__init__(["apache2", "-f", config, "-DFOREGROUND"], port, open(os.path.join(folder, "output"), "wb"))


class Kabuto(Server):
    """`kabuto firewall run`. Without rules it is the proxy alone."""

    def __init__(self, backend, rules=None, extra="", program=".build/release/kabuto", options=(), mode="block", **how):
        self.name, self.rules = "Kabuto with rules" if rules else "Kabuto", bool(rules)
        folder, port = place(f"kabuto-{'rules' if rules else 'plain'}-{bench.free_port()}"), bench.free_port()
        self.folder = folder
        command = [program, "firewall", "run", "--listen", f"127.0.0.1:{port}", "--backend", f"http://127.0.0.1:{backend}", "--loops", "1", "--mode", mode,
                   "--log", os.path.join(folder, "access.jsonl")]
        if rules:
            self.main = rules if isinstance(rules, str) else rulesets.main(folder, extra=extra, **how)
            command += ["--rules", self.main]
            # The pattern databases are built and kept before, as after a first start: that is measured by itself.
            subprocess.run([program, "firewall", "rules", "--rules", self.main], check=True, stdout=subprocess.DEVNULL)
        command += options
        super().__init__(command, port, open(os.path.join(folder, "output"), "wb"))


def available(kabuto):
    """The servers that can be measured here, by name, and what the others lack."""
    found, lacking = {}, {}
    for name, made, examined, need in (("nginx", Nginx, False, "nginx"), ("nginx+modsecurity", Nginx, True, "nginx"), ("apache", Apache, False, "apache2"),
                                       ("apache+modsecurity", Apache, True, "apache2"), ("kabuto", Kabuto, False, kabuto), ("kabuto+rules", Kabuto, True, kabuto)):
        absent = [] if shutil.which(need) else [need]
        if examined and made is Nginx and not os.path.exists(NGINX_MODULE):
            absent.append(NGINX_MODULE)
        if examined and made is Apache and not os.path.exists(os.path.join(APACHE_MODULES, "mod_security2.so")):
            absent.append("mod_security2.so")
        if examined:
            absent += rulesets.missing("apache" if made is Apache else "nginx")
        if made is Kabuto and not absent and subprocess.run([kabuto, "firewall", "run", "--help"], capture_output=True).returncode != 0:
            absent.append("`kabuto firewall run`")
        if absent:
            lacking[name] = ", ".join(absent)
        else:
            found[name] = (made, examined)
    return found, lacking
