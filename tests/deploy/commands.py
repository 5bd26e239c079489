#!/usr/bin/env python3
"""Holds the commands of the runbooks and of other pages to the program: commands, flags and their values.

Each is run with --help behind it. The program refuses what stands before it and is wrong, and does nothing.
"""
import re
import shlex
import sys

from checking import DEPLOY, run
from deployment import PROGRAMS

PAGES = [DEPLOY / "README.md", DEPLOY / "compliance.md", *sorted((DEPLOY / "runbooks").rglob("*.md"))]
# What a reader puts in place of words.
MEANT = {"<编号>": "1", "编号": "1", "<文件>": "a.html", "文件": "a.html", "目录": "reports", "日期": "2026-01-31", "<年度>": "2023"}
# Commands that the program must refuse.
WRONG = ["gongkai dead lists", "gongkai dead list --group", "gongkai pause parse --for 8", "gongkai status parse"]


def commands(text):
    """The commands on lines and in the prose of a page, without what follows a pipe."""
    found = re.findall(r"^(?:sudo (?:\w+=\S+ )*)?(gongkai .*)$", text, re.M) + re.findall(r"`(?:sudo )?(gongkai [^`]+)`", text)
    return {command.split(" | ")[0] for command in found}


def refused(command):
    """What the program says against a command, or nothing."""
    words = [MEANT.get(word, word) for word in shlex.split(command, comments=True)[1:]]
    code, said = run(PROGRAMS / "gongkai", *words, "--help")
    return said.splitlines()[0] if code else ""


def main():
    named = {command: page for page in PAGES for command in commands(page.read_text())}
    faults = [f"{page.name}: {command}: {refused(command)}" for command, page in sorted(named.items()) if refused(command)]
    faults += [f"the program takes {command}" for command in WRONG if not refused(command)]
    if faults:
        sys.exit("\n".join(faults))
    print(f"commands: the program takes all {len(named)} commands of {len(PAGES)} pages")


if __name__ == "__main__":
    main()
