#!/usr/bin/env python3
"""What a report costs the whole pipeline: bench_pipeline.py PROGRAMS NATS_SERVER [REPORTS] [IN_FLIGHT].

Starts nats-server and the five programs of the folder PROGRAMS on free ports, sends REPORTS documents with IN_FLIGHT
requests at once, and waits until no consumer has a message left. Prints lines of JSON: CPU time a report by program,
reports a second, bytes a report by stream and in the read model, memory at rest and at its peak, and how fast query
makes its read model again.

The documents are a sample of the statutory form, each of an agency of its own. It has no error, so that alerts are no
part of the figures; WRONG=1 takes the sample with one, which raises an alert each. SERVERS=3 makes a cluster of the
broker, with three copies of everything, each written to the disk before it counts (sync_interval: always).
"""

import concurrent.futures
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

SAMPLES = pathlib.Path(__file__).parents[1] / "samples"
SERVICES = ("ingest", "parse", "validate", "notify", "query")
TICKS = os.sysconf("SC_CLK_TCK")
WARM_UP = 50
SERVERS = int(os.environ.get("SERVERS", "1"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)


def tree(pid):
    """A process and its children: readers of documents are children."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(own for child in children for own in tree(int(child)))]


def cpu_s(pid):
    """CPU time of a process with its children, also of those that have ended."""
    total = 0
    for own in tree(pid):
        fields = pathlib.Path(f"/proc/{own}/stat").read_text().rsplit(")", 1)[1].split()
        total += sum(int(field) for field in fields[11 : 13 if own != pid else 15])
    return total / TICKS


def memory_mb(pid, key):
    """Memory of a process and its children."""
    total = 0
    for own in tree(pid):
        for line in pathlib.Path(f"/proc/{own}/status").read_text().splitlines():
            if line.startswith(key):
                total += int(line.split()[1])
    return round(total / 1024, 1)


class Deployment:
    """A broker and the five programs, with their data in a folder."""

    def __init__(self, programs, nats_server, folder):
        self.folder = folder
        self.http = free_port()
        self.processes = {}
        urls = self.start_broker(nats_server, SERVERS)
        (folder / "gongkai.toml").write_text(
            f'[nats]\nurl = "{urls}"\nreplicas = {SERVERS}\n[admin]\nport = 0\n[telemetry]\nlog_filter = "warn"\n'
            f'[ingest]\nhttp_address = "127.0.0.1:{self.http}"\ngrpc_address = "127.0.0.1:{free_port()}"\n'
            f'[query]\nbind = "127.0.0.1:{free_port()}"\ndatabase = "{folder / "query.db"}"\n'
            '[notify]\nmin_severity = "ERROR"\n'
        )
        for service in SERVICES:
            self.start(service, [pathlib.Path(programs) / f"gongkai-{service}", "--config", folder / "gongkai.toml"])
        self.wait(f"http://127.0.0.1:{self.http}/v1/submissions/s-{'0' * 32}")

    def start_broker(self, nats_server, count):
        """Starts the servers. Returns their URLs."""
        ports = [{key: free_port() for key in ("client", "route", "monitor")} for _ in range(count)]
        routes = ", ".join(f'"nats-route://127.0.0.1:{port["route"]}"' for port in ports)
        for number, port in enumerate(ports):
            config = self.folder / f"nats{number}.conf"
            sync = "" if count == 1 else ", sync_interval: always"
            config.write_text(
                f'server_name: n{number}\nlisten: "127.0.0.1:{port["client"]}"\nhttp: "127.0.0.1:{port["monitor"]}"\n'
                f'jetstream {{ store_dir: "{self.folder / f"js{number}"}"{sync} }}\n'
                + (f'cluster {{ name: c, listen: "127.0.0.1:{port["route"]}", routes: [{routes}] }}\n' if count > 1 else "")
            )
            self.start(f"nats{number}", [nats_server, "-c", config])
        self.monitors = [f"http://127.0.0.1:{port['monitor']}" for port in ports]
        for monitor in self.monitors:
            self.wait(f"{monitor}/healthz")
        return ",".join(f"nats://127.0.0.1:{port['client']}" for port in ports)

    def start(self, name, command):
        with (self.folder / f"{name}.log").open("w") as log:
            self.processes[name] = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log)

    def wait(self, url):
        for _ in range(600):
            try:
                return get(url)
            except urllib.error.HTTPError as error:
                # 404 of an unknown submission is an answer; 503 is not yet.
                if error.code != 503:
                    return None
                time.sleep(0.1)
            except OSError:
                time.sleep(0.1)
        sys.exit(f"nothing answers at {url}")

    def each(self, measure):
        return {name: measure(process.pid) for name, process in self.processes.items()}

    def streams(self):
        """State of each stream, and the number of messages that each consumer has not done."""
        states, waiting = {}, {}
        # Each server knows the consumers that it leads.
        details = [get(f"{monitor}/jsz?consumers=true&streams=true") for monitor in self.monitors]
        for stream in (stream for detail in details for stream in detail["account_details"][0]["stream_detail"]):
            states[stream["name"]] = stream["state"]
            for consumer in stream.get("consumer_detail") or []:
                waiting[consumer["name"]] = consumer["num_pending"] + consumer["num_ack_pending"]
        # One that reads everything again half a minute later has nothing to do.
        return states, {name: count for name, count in waiting.items() if count and "-again-" not in name}

    def rest(self):
        """Waits until nothing is left to do. Returns the state of the streams."""
        quiet = 0
        while quiet < 5:
            states, waiting = self.streams()
            quiet = 0 if waiting else quiet + 1
            time.sleep(0.1)
        return states

    def rebuild_s(self):
        """Time in which query makes its read model from the log."""
        query = self.processes["query"]
        query.send_signal(signal.SIGTERM)
        query.wait(60)
        for path in self.folder.glob("query.db*"):
            path.unlink()
        begun = time.monotonic()
        self.start("query", query.args)
        while not any(name.startswith("query-") for name in self.streams()[1]):
            time.sleep(0.01)
        while any(name.startswith("query-") for name in self.streams()[1]):
            time.sleep(0.05)
        return time.monotonic() - begun

    def stop(self):
        for process in reversed(self.processes.values()):
            process.send_signal(signal.SIGTERM)
            process.wait(60)


class Sender:
    """Sends reports over one connection."""

    def __init__(self, port):
        name = "02_tab_rows_wrong_total.txt" if os.environ.get("WRONG") else "02_tab_rows_wrong_total_corrected.txt"
        self.text = (SAMPLES / name).read_text(encoding="utf-8")
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def send(self, number):
        body = self.text.replace("云溪县自然资源局", f"云溪县第{number}街道办事处").encode()
        headers = {"Content-Type": "text/plain"}
        while True:
            self.connection.request("POST", f"/v1/reports?agency_code=b{number}&year=2023", body, headers)
            answer = self.connection.getresponse()
            answer.read()
            if answer.status != 503:
                break
            time.sleep(0.05)
        if answer.status // 100 != 2:
            sys.exit(f"report {number} got status {answer.status}")
        return len(body)


def send_all(port, numbers, in_flight):
    with concurrent.futures.ThreadPoolExecutor(in_flight) as pool:
        parts = [numbers[start::in_flight] for start in range(in_flight)]

        def part(own):
            sender = Sender(port)
            return sum(sender.send(number) for number in own)

        return sum(pool.map(part, parts))


def figures(deployment, reports, in_flight):
    send_all(deployment.http, range(WARM_UP), 4)
    before_states = deployment.rest()
    database = deployment.folder / "query.db"
    size = lambda: sum(path.stat().st_size for path in deployment.folder.glob("query.db*"))
    before_cpu, before_size, begun = deployment.each(cpu_s), size(), time.monotonic()
    sent = send_all(deployment.http, range(WARM_UP, WARM_UP + reports), in_flight)
    taken = time.monotonic() - begun
    states = deployment.rest()
    elapsed = time.monotonic() - begun
    cpu = {name: round((after - before_cpu[name]) / reports * 1e6) for name, after in deployment.each(cpu_s).items()}
    stream = lambda name: (states[name]["bytes"] - before_states.get(name, {"bytes": 0})["bytes"]) / reports
    bytes_of = {name: round(stream(name)) for name in states}
    bytes_of = {name: count for name, count in sorted(bytes_of.items()) if count}
    yield {"reports": reports, "in_flight": in_flight, "servers": SERVERS, "cores": os.cpu_count(), "document_bytes": sent // reports}
    yield {"cpu_us_a_report": cpu, "together": sum(cpu.values())}
    yield {"accepted_a_second": round(reports / taken, 1), "done_a_second": round(reports / elapsed, 1)}
    yield {"broker_bytes_a_report": bytes_of, "together": sum(bytes_of.values())}
    yield {"read_model_bytes_a_report": round((size() - before_size) / reports), "database": database.name}
    memory = {key: deployment.each(lambda pid, key=key: memory_mb(pid, key)) for key in ("VmRSS:", "VmHWM:")}
    yield {"memory_mb": memory["VmRSS:"], "peak_mb": memory["VmHWM:"]}
    yield {"rebuilt_a_second": round((reports + WARM_UP) / deployment.rebuild_s(), 1)}


def main():
    programs, nats_server = sys.argv[1:3]
    reports, in_flight = (int(argument) for argument in (sys.argv[3:] + ["4000", "32"][len(sys.argv[3:]):])[:2])
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(programs, nats_server, pathlib.Path(folder))
        try:
            for line in figures(deployment, reports, in_flight):
                print(json.dumps(line), flush=True)
        finally:
            deployment.stop()


if __name__ == "__main__":
    main()
