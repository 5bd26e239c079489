"""Prints our readers beside their peers: bench_readers.py FIGURES, a file of JSON lines from the bench `reading`.

Peers are timed here and now on the same files, CPU only: they get to the cells of the tables and no further, while ours go
on to facts with their places. A peer that is not installed, or does not read a file, shows as a word.
"""

import io
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import time

SHORTEST_S = 0.3


def with_lxml(data: bytes):
    import lxml.html

    return [[cell.text_content() for cell in row.iter("td", "th")] for row in lxml.html.fromstring(data).iter("tr")]


def with_pandas(data: bytes):
    import pandas

    return pandas.read_html(io.BytesIO(data))


def with_python_docx(data: bytes):
    import docx

    tables = docx.Document(io.BytesIO(data)).tables
    return [[cell.text for cell in row.cells] for table in tables for row in table.rows]


def with_pdfplumber(data: bytes):
    import pdfplumber

    with pdfplumber.open(io.BytesIO(data)) as pdf:
        return [page.extract_tables() for page in pdf.pages]


def with_markdown_it(data: bytes):
    import markdown_it

    return markdown_it.MarkdownIt().enable("table").parse(data.decode())


def with_pdftotext(data: bytes):
    return subprocess.run(["pdftotext", "-layout", "-", "-"], input=data, capture_output=True, check=True)


def with_catdoc(data: bytes):
    return subprocess.run(["catdoc", "-d", "utf-8", "-"], input=data, capture_output=True, check=True)


PEERS = {
    "html": [("lxml", with_lxml), ("pandas.read_html", with_pandas)],
    "docx": [("python-docx", with_python_docx)],
    "pdf": [("pdfplumber", with_pdfplumber), ("pdftotext", with_pdftotext)],
    "md": [("markdown-it", with_markdown_it)],
    "doc": [("catdoc", with_catdoc)],
    "txt": [],
}
PROGRAMS = {"pdftotext": "poppler-utils", "catdoc": "catdoc"}
NONE = {"txt": "no published program reads tables out of flattened text", "doc": "catdoc gives text without cells"}


def cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def timed(read, data: bytes):
    """Milliseconds of CPU a document, warm; or a word."""
    try:
        read(data)
    except ImportError:
        return "not installed"
    except Exception as error:  # noqa: BLE001: whatever a peer fails with is its answer
        return f"fails ({type(error).__name__})"
    times, begun = [], time.monotonic()
    while not times or time.monotonic() - begun < SHORTEST_S:
        before = cpu()
        read(data)
        times.append(cpu() - before)
    # Two decimals of a clock of ticks: the mean, not the median.
    return statistics.fmean(times) * 1e3


def peers_of(ending: str, data: bytes):
    for name, read in PEERS[ending]:
        if name in PROGRAMS and shutil.which(name) is None:
            yield f"{name}: not installed (Debian: {PROGRAMS[name]})"
            continue
        figure = timed(read, data)
        yield f"{name} {figure:.1f} ms" if isinstance(figure, float) else f"{name}: {figure}"


def main() -> None:
    lines = [json.loads(line) for line in pathlib.Path(sys.argv[1]).read_text().splitlines()]
    endings: dict[str, list] = {}
    for line in lines:
        line["ending"] = pathlib.Path(line["file"]).suffix.lstrip(".")
        endings.setdefault(line["ending"], []).append(line)
    print(f"\nreading: CPU of one thread, warm, bytes to report; {len(lines)} documents on {os.cpu_count()} cores")
    for ending, group in endings.items():
        mean = statistics.fmean(line["ms"] for line in group)
        speed = sum(line["bytes"] for line in group) / sum(line["ms"] for line in group) / 1e3
        peak = max(line["peak_kb"] for line in group) / 1024
        print(f"\n{ending}: {mean:.2f} ms a document, {speed:.1f} MB/s, at most {peak:.1f} MB above idle")
        if ending in NONE:
            print(f"  ({NONE[ending]})")
        for line in group:
            path = pathlib.Path(line["file"])
            beside = "; ".join(peers_of(ending, path.read_bytes()))
            rate = line["bytes"] / line["ms"] / 1e3
            print(f"  {path.name:42} {line['bytes'] / 1e3:7.1f} KB {line['ms']:7.2f} ms {rate:6.1f} MB/s   {beside}")


main()
