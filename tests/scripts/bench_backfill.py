#!/usr/bin/env python3
"""How much longer a document takes while old ones are sent in bulk: bench_backfill.py GONGKAI [OLD] [LIVE].

Starts `gongkai up` on free ports, sends LIVE reports one after another and takes the time from the hook to the findings of each, first
alone, then while `gongkai submit --backfill` sends OLD others. Prints both and their ratio: the machine's speed cancels out.
"""

import json
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

SAMPLE = pathlib.Path(__file__).parents[1] / "samples/02_tab_rows_wrong_total.txt"
PAUSE_S = 0.2


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)


def report(number):
    """A report of an agency of its own."""
    text = SAMPLE.read_text(encoding="utf-8")
    return f"{text}\n编号{number}\n".encode()


def send(base, number):
    query = f"agency_code=b{number}&year=2023"
    request = urllib.request.Request(f"{base}/v1/reports?{query}", report(number), {"Content-Type": "text/plain"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def seconds(base, number):
    """From the hook to the findings."""
    begun = time.monotonic()
    receipt = send(base, number)
    while receipt["state"] in ("received", "parsed"):
        time.sleep(0.002)
        receipt = get(f"{base}/v1/submissions/{receipt['submission_id']}")
    if receipt["state"] != "validated":
        sys.exit(f"a report was not validated: {receipt}")
    return time.monotonic() - begun


def measure(base, numbers):
    times = []
    for number in numbers:
        times.append(seconds(base, number))
        time.sleep(PAUSE_S)
    times.sort()
    return {"p50_ms": 1e3 * times[len(times) // 2], "p99_ms": 1e3 * times[min(len(times) - 1, len(times) * 99 // 100)]}


def main():
    program = sys.argv[1]
    old, live = (int(argument) for argument in (sys.argv[2:] + ["2000", "100"])[:2])
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        ports = {key: free_port() for key in ("http", "grpc", "query", "nats")}
        archive = folder / "archive"
        archive.mkdir()
        for number in range(old):
            (archive / f"{number}.txt").write_bytes(report(f"old{number}"))
        config = folder / "gongkai.toml"
        config.write_text(
            f'[ingest]\nhttp_address = "127.0.0.1:{ports["http"]}"\ngrpc_address = "127.0.0.1:{ports["grpc"]}"\n'
            f'[query]\nbind = "127.0.0.1:{ports["query"]}"\n[nats]\nurl = "nats://127.0.0.1:{ports["nats"]}"\n[admin]\nport = 0\n'
        )
        base = f"http://127.0.0.1:{ports['http']}"
        up = subprocess.Popen(
            [program, "up", "--data", folder / "data", "--config", config],
            stdout=subprocess.DEVNULL,
            stderr=(folder / "log").open("w"),
        )
        try:
            for _ in range(600):
                try:
                    get(f"{base}/v1/submissions/s-{'0' * 32}")
                except urllib.error.HTTPError:
                    break
                except OSError:
                    time.sleep(0.1)
            measure(base, range(5))
            alone = measure(base, range(1000, 1000 + live))
            bulk = subprocess.Popen(
                [program, "submit", archive, "--backfill", "--ingest", base, "--format", "json"], stdout=subprocess.PIPE
            )
            begun = time.monotonic()
            beside = measure(base, range(2000, 2000 + live))
            is_sending = bulk.poll() is None
            lines = bulk.communicate()[0].decode().splitlines()
            taken = [json.loads(line)["submission_id"] for line in lines if "submission_id" in line]
            left = sum(get(f"{base}/v1/submissions/{one}")["state"] in ("received", "parsed") for one in taken[-50:])
            print(
                json.dumps(
                    {
                        "alone": alone,
                        "beside": beside,
                        "p50_ratio": beside["p50_ms"] / alone["p50_ms"],
                        "p99_ratio": beside["p99_ms"] / alone["p99_ms"],
                        "backfill": {"sent": len(taken), "was_sending": is_sending, "last_50_unread": left,
                                     "seconds": time.monotonic() - begun},
                    }
                )
            )
        finally:
            up.send_signal(signal.SIGTERM)
            up.wait(60)

if __name__ == "__main__":
    main()
