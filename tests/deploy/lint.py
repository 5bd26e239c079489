#!/usr/bin/env python3
"""Lints the files of deploy/ with the schemas and checkers of the programs that read them.

    tests/scripts/deploy_lint.sh [NAME…]    NAME: a key of CHECKS; without arguments everything

A check yields its faults. A program that the machine lacks is said aloud, never skipped in silence.
"""
import sys

import broker
import compose
import dashboards
import docker
import kubernetes
import observability
import runbooks
import scripts
import systemd
from checking import Missing

CHECKS = {
    "systemd": systemd.check,
    "nats": broker.check,
    "docker": docker.check,
    "compose": compose.check,
    "kubernetes": kubernetes.check,
    "observability": observability.check,
    "dashboards": dashboards.check,
    "runbooks": runbooks.check,
    "scripts": scripts.check,
}


def main(names):
    faults = 0
    for name in names or CHECKS:
        try:
            for fault in CHECKS[name]():
                print(f"{name}: {fault}", file=sys.stderr)
                faults += 1
        except Missing as missing:
            print(f"SKIPPED: deploy/{name} was NOT linted to its end: {missing}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
