"""A deployment over the files of deploy/nats as they are: real nats-servers, and the programs under their own identities.

Everything is on free ports of the loopback, in a temporary folder, and ends with the value.
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from checking import DEPLOY, ROOT, SERVICES

NATS_SERVER = os.environ["GONGKAI_NATS_SERVER"]
PROGRAMS = Path(os.environ.get("GONGKAI_PROGRAMS", ROOT / "target/debug"))
# Generous: a machine that is busy with other tests is slow, and a wait ends as soon as its condition holds.
PATIENCE_S = 180
TENANT = "gongkai"
# A tenant that must not see anything of the first.
NEIGHBOUR = "linshan"
# A CMS that publishes over NATS.
SITE = "yunxi"


def free_ports(count, given=set()):
    """Ports that are free now and were not given before."""
    held = []
    while len(held) < count:
        one = socket.socket()
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
        if port not in given:
            given.add(port)
            held.append(one)
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def wait_for(what, condition, patience_s=PATIENCE_S):
    """Polls until the condition holds, and returns its value."""
    until = time.monotonic() + patience_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"not within {patience_s} s: {what}")
        time.sleep(0.05)


def http(url, data=None, headers=None, timeout=10):
    """The status and the text of an answer. 0: there was none."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data, headers=headers or {}), timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


class Site:
    def __init__(self, nodes=1, config="", broker="", services=SERVICES):
        """`broker` names a configuration of deploy/nats other than that of one host or of a cluster."""
        self.folder = Path(tempfile.mkdtemp(prefix="gongkai-deploy."))
        self.nodes = nodes
        self.config = config
        self.services = services
        self.broker = broker or ("server.conf" if nodes == 1 else "cluster.conf")
        self.processes = {}
        self.nats_ports = free_ports(nodes)
        self.route_ports = free_ports(nodes)
        self.monitor_ports = free_ports(nodes)
        self.ports = dict(zip(["http", "grpc", "reports", *SERVICES], free_ports(3 + len(SERVICES))))
        self.nats = self.folder / "nats"

    def __enter__(self):
        try:
            self.install()
            for node in range(self.nodes):
                self.start_node(node)
            wait_for("the broker is healthy", self.broker_is_healthy)
            said = self.gongkai("doctor", "--repair", identity="admin")
            assert said.returncode == 0, said.stdout + said.stderr
            for service in self.services:
                self.start_service(service)
            for service in self.services:
                self.wait_ready(service)
        except BaseException as error:
            self.__exit__(type(error))
            raise
        return self

    def __exit__(self, failure, *_):
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()
        if failure:
            for name in self.processes:
                print(f"== the last lines of {name}\n{self.tail(name)}", file=sys.stderr)
        if os.environ.get("KEEP"):
            print(f"kept {self.folder}")
        else:
            shutil.rmtree(self.folder)

    def install(self):
        """What an operator does: copy the files, make keys and certificates."""
        (self.folder / "gongkai.toml").write_text(self.config)
        shutil.copytree(DEPLOY / "nats", self.nats)
        script = [str(DEPLOY / "nats/make_keys.py")]
        self.must(*script, "system", self.nats)
        for tenant in [TENANT, NEIGHBOUR]:
            self.must(*script, "tenant", tenant, self.nats)
        accounts = self.nats / "accounts.conf"
        another = f'accounts {{\n  LINSHAN {{ include "tenants/{NEIGHBOUR}/tenant.conf" }}'
        accounts.write_text(accounts.read_text().replace("accounts {", another))
        account = self.must(*script, "site", SITE, self.nats)
        with open(self.nats / "sites.conf", "a") as sites:
            sites.write(account)
        self.must(DEPLOY / "nats/make_certificates.sh", self.nats / "tls", "127.0.0.1")

    def must(self, *command):
        return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True).stdout

    def seed(self, identity, tenant=TENANT):
        return self.nats / "seeds" / tenant / f"{identity}.nk"

    def cms_seed(self, name):
        return self.nats / "seeds/sites" / f"{name}.nk"

    # --- the broker ---

    def start_node(self, node):
        command = [NATS_SERVER, "--config", self.node_config(node), "--name", f"nats-{node}", "--addr", "127.0.0.1"]
        command += ["--port", self.nats_ports[node], "--http_port", self.monitor_ports[node]]
        command += ["--store_dir", self.folder / f"store-{node}"]
        if self.nodes > 1:
            routes = ",".join(f"tls://127.0.0.1:{port}" for port in self.route_ports)
            command += ["--cluster", f"tls://127.0.0.1:{self.route_ports[node]}", "--routes", routes]
        self.start(f"nats-{node}", command, {}, self.nats)

    def node_config(self, node):
        """The configuration of a node: another for each of several, where no flag sets what must differ."""
        return self.broker

    def broker_is_healthy(self):
        return all(http(f"http://127.0.0.1:{port}/healthz")[0] == 200 for port in self.monitor_ports)

    def url(self):
        scheme = "nats" if self.nodes == 1 else "tls"
        return ",".join(f"{scheme}://127.0.0.1:{port}" for port in self.nats_ports)

    def leader(self, stream):
        """The name of the node that leads a stream."""
        for port in self.monitor_ports:
            status, text = http(f"http://127.0.0.1:{port}/jsz?accounts=true&streams=true")
            for account in json.loads(text).get("account_details", []) if status == 200 else []:
                for detail in account.get("stream_detail", []):
                    if detail["name"] == stream and detail.get("cluster", {}).get("leader"):
                        return detail["cluster"]["leader"]
        return None

    def denials(self):
        """What the broker refused, as `identity: action`."""
        names = {line.split(": ")[1]: line.split(": ")[0].lower() for line in (self.nats / f"tenants/{TENANT}/keys.conf").read_text().splitlines()}
        found = set()
        for node in range(self.nodes):
            for line in (self.folder / f"nats-{node}.log").read_text().splitlines():
                match = re.search(r'/nkey:(\w+)" - (.* Violation .*)', line)
                if match:
                    found.add(f"{names.get(match.group(1), match.group(1))}: {match.group(2)}")
        return sorted(found)

    # --- the services ---

    def environment(self, identity):
        values = {
            "GONGKAI_NATS__URL": self.url(),
            "GONGKAI_NATS__REPLICAS": self.nodes if self.nodes > 1 else 1,
            "GONGKAI_NATS__NKEY_FILE": self.seed(identity),
            "GONGKAI_NATS__MARKER_FILE": self.folder / f"{identity}.marker.json",
            "GONGKAI_INGEST__HTTP_ADDRESS": f"127.0.0.1:{self.ports['http']}",
            "GONGKAI_INGEST__GRPC_ADDRESS": f"127.0.0.1:{self.ports['grpc']}",
            "GONGKAI_QUERY__BIND": f"127.0.0.1:{self.ports['reports']}",
            "GONGKAI_QUERY__DATABASE": self.folder / "query.db",
            "GONGKAI_QUERY_URL": f"http://127.0.0.1:{self.ports['reports']}",
            "GONGKAI_INGEST_GRPC_URL": f"http://127.0.0.1:{self.ports['grpc']}",
            "GONGKAI_CONFIG": self.folder / "gongkai.toml",
            # A host without CA certificates: nothing here lies at an https address.
            "SSL_CERT_FILE": "/dev/null",
            "SSL_CERT_DIR": self.folder / "no-certificates",
        }
        if self.nodes > 1:
            values["GONGKAI_NATS__ROOT_CERTIFICATES_FILE"] = self.nats / "tls/ca.pem"
        return {**os.environ, **{key: str(value) for key, value in values.items()}}

    def start_service(self, service):
        environment = {**self.environment(service), "GONGKAI_ADMIN__PORT": str(self.ports[service])}
        self.start(service, [PROGRAMS / f"gongkai-{service}"], environment, self.folder)

    def is_ready(self, service):
        return http(f"http://127.0.0.1:{self.ports[service]}/readyz")[0] == 200

    def wait_ready(self, service):
        try:
            wait_for(f"{service} is ready", lambda: self.is_ready(service) or self.has_ended(service))
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.denials()}") from error
        assert not self.has_ended(service), f"{service} has ended\n{self.denials()}"

    def gongkai(self, *arguments, identity="operator"):
        """Runs the command line under an identity."""
        command = [PROGRAMS / "gongkai", *arguments]
        return subprocess.run(
            [str(part) for part in command], env=self.environment(identity), capture_output=True, text=True, timeout=PATIENCE_S
        )

    # --- processes ---

    def start(self, name, command, environment, folder):
        log = open(self.folder / f"{name}.log", "ab")
        command = [str(part) for part in command]
        self.processes[name] = subprocess.Popen(command, cwd=folder, env=environment or None, stdout=log, stderr=log)
        log.close()

    def has_ended(self, name):
        return self.processes[name].poll() is not None

    def kill(self, name):
        self.processes[name].kill()
        self.processes[name].wait()

    def stop(self, name):
        self.processes[name].terminate()
        self.processes[name].wait(PATIENCE_S)

    def tail(self, name):
        return "\n".join((self.folder / f"{name}.log").read_text().splitlines()[-15:])
