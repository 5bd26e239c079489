#!/usr/bin/env python3
"""How much longer a document takes while old ones are sent in bulk: bench_backfill.py GONGKAI [OLD] [LIVE].

Starts `gongkai up` on free ports and sends LIVE reports one after another, in turns of some alone and some while
`gongkai submit --backfill` sends OLD others; between the turns the sender is suspended and what it sent is read. Takes the time
from the hook to the findings of each. Prints both and their ratio: the machine's speed, and how it changes, cancel out.
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
# Reports of a turn.
TURN = 25


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
    return text.replace("云溪县自然资源局", f"云溪县第{number}街道办事处").encode()


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
    return times


def quantiles(times):
    times = sorted(times)
    worst = times[min(len(times) - 1, len(times) * 99 // 100)]
    return {"samples": len(times), "p50_ms": 1e3 * times[len(times) // 2], "p99_ms": 1e3 * worst}


def wait_until_read(base, journal):
    """Waits until the last that was sent is read."""
    lines = journal.read_text().splitlines() if journal.exists() else []
    for line in lines[-1:]:
        submission = json.loads(line)["submission_id"]
        while get(f"{base}/v1/submissions/{submission}")["state"] in ("received", "parsed"):
            time.sleep(0.05)


def main():
    program = sys.argv[1]
    old, live = (int(argument) for argument in (sys.argv[2:] + ["5000", "100"][len(sys.argv[2:]):])[:2])
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        ports = {key: free_port() for key in ("http", "grpc", "query", "nats")}
        archive = folder / "archive"
        archive.mkdir()
        for number in range(old):
            (archive / f"{number}.txt").write_bytes(report(300_000 + number))
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
        bulk = None
        try:
            for _ in range(600):
                try:
                    get(f"{base}/v1/submissions/s-{'0' * 32}")
                except urllib.error.HTTPError:
                    break
                except OSError:
                    time.sleep(0.1)
            measure(base, range(5))
            alone, beside = [], []
            journal = folder / "journal.jsonl"
            bulk = subprocess.Popen(
                [program, "submit", archive, "--backfill", "--ingest", base, "--journal", journal], stdout=subprocess.DEVNULL
            )
            bulk.send_signal(signal.SIGSTOP)
            for turn in range(0, live, TURN):
                alone += measure(base, range(100_000 + turn, 100_000 + turn + TURN))
                bulk.send_signal(signal.SIGCONT)
                beside += measure(base, range(200_000 + turn, 200_000 + turn + TURN))
                if bulk.poll() is not None:
                    sys.exit(f"the {old} old reports were sent before the {live} others: send more of them")
                bulk.send_signal(signal.SIGSTOP)
                wait_until_read(base, journal)
            sent = len(journal.read_text().splitlines())
            alone, beside = quantiles(alone), quantiles(beside)
            ratios = {f"{key}_ratio": beside[f"{key}_ms"] / alone[f"{key}_ms"] for key in ("p50", "p99")}
            print(json.dumps({"alone": alone, "beside": beside, **ratios, "sent": sent}))
        finally:
            if bulk:
                # It may be suspended.
                bulk.kill()
            up.send_signal(signal.SIGTERM)
            up.wait(60)

if __name__ == "__main__":
    main()
