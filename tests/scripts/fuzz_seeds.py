"""Lays out seeds for the fuzz targets: fuzz_seeds.py OUT FOLDER…

A file goes to the target of its ending; a finding (findings/TARGET/…) to its target. Of a DOCX the parts that are read go
in as text, since the target packs them itself. Files over 64 KB are cut where a format bears it, or left out.
"""

import pathlib
import sys
import zipfile

LONGEST = 65536
TARGETS = {".txt": "text", ".md": "markdown", ".html": "html", ".docx": "docx", ".pdf": "pdf", ".doc": "doc"}
PARTS = ("word/document.xml", "word/styles.xml", "word/numbering.xml")


def parts(path: pathlib.Path) -> bytes:
    with zipfile.ZipFile(path) as package:
        names = set(package.namelist())
        return b"\0".join(package.read(name) if name in names else b"" for name in PARTS)


def seeds(path: pathlib.Path, target: str):
    data = path.read_bytes()
    yield data
    if target == "docx" and data.startswith(b"PK"):
        yield parts(path)


def main() -> None:
    out = pathlib.Path(sys.argv[1])
    for folder in map(pathlib.Path, sys.argv[2:]):
        for path in sorted(folder.rglob("*")):
            named = path.parent.name if path.parent.parent.name == "findings" else TARGETS.get(path.suffix)
            if not path.is_file() or named is None:
                continue
            (out / named).mkdir(parents=True, exist_ok=True)
            for at, data in enumerate(seeds(path, named)):
                if len(data) > LONGEST and named in ("pdf", "doc"):
                    continue
                (out / named / f"{path.stem}_{at}{path.suffix}").write_bytes(data[:LONGEST])


main()
