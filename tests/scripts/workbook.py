#!/usr/bin/env python3
"""workbook.py FOLDER: holds the print of FOLDER/workbook.xlsx and FOLDER/notice.docx to what an office needs.

The workbook prints on A4 across, every table one page wide with its heads on each page, and every row at least as high as
LibreOffice makes it for its text. The notice prints on A4 upright.
"""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

# The first and the last head of each table.
TABLES = {"汇总": ("文件", "提示"), "疑点": ("序号", "整改建议"), "经办人核对": ("序号", "处理建议")}
LIST = ("序号", "整改情况")
A4 = (595, 842)
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"


def convert(path, to):
    home = path.parent / "profile"
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{home}", "--headless", "--convert-to", to, "--outdir", path.parent, path],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return path.with_suffix("." + to)


def pages(pdf):
    """Returns the text of each page, and the size of each in points."""
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], check=True, capture_output=True, text=True).stdout
    info = subprocess.run(["pdfinfo", "-l", "100000", pdf], check=True, capture_output=True, text=True).stdout
    sizes = re.findall(r"^Page +\d+ size: +([\d.]+) x ([\d.]+)", info, re.M)
    return text.split("\f")[:-1], [(round(float(a)), round(float(b))) for a, b in sizes]


def points(length):
    number, unit = re.fullmatch(r"([\d.]+)(\w+)", length).groups()
    return float(number) * {"in": 72, "cm": 72 / 2.54, "mm": 7.2 / 2.54, "pt": 1}[unit]


def heights(flat):
    """Returns the heights of the rows of each sheet in points, without the empty rows at its end."""
    root = ET.parse(flat).getroot()
    of_style = {}
    for style in root.iter(STYLE + "style"):
        properties = style.find(STYLE + "table-row-properties")
        if properties is not None and properties.get(STYLE + "row-height"):
            of_style[style.get(STYLE + "name")] = points(properties.get(STYLE + "row-height"))
    found = {}
    for sheet in root.iter(TABLE + "table"):
        rows = []
        for row in sheet.iter(TABLE + "table-row"):
            if "".join(row.itertext()).strip():
                repeated = int(row.get(TABLE + "number-rows-repeated", "1"))
                rows += [of_style[row.get(TABLE + "style-name")]] * repeated
        found[sheet.get(TABLE + "name")] = rows
    return found


def without_heights(workbook):
    """Writes a copy of the workbook whose rows have no heights of their own."""
    copy = workbook.with_name("natural.xlsx")
    with zipfile.ZipFile(workbook) as source, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            if name.startswith("xl/worksheets/sheet"):
                data = re.sub(rb' ht="[^"]*"| customHeight="1"', b"", data)
            target.writestr(name, data)
    return copy


def main():
    folder = Path(sys.argv[1]).resolve()
    workbook = folder / "workbook.xlsx"
    wrong = []

    texts, sizes = pages(convert(workbook, "pdf"))
    across = tuple(reversed(A4))
    wrong += [f"page {at} is {size}, not A4 across" for at, size in enumerate(sizes, 1) if size != across]
    heads = list(TABLES.values()) + [LIST]
    for at, text in enumerate(texts[1:], 2):
        squeezed = text.replace(" ", "")
        if not any(first in squeezed and last in squeezed for first, last in heads):
            wrong.append(f"page {at} has not the first and the last head of a table")

    own, natural = heights(convert(workbook, "fods")), heights(convert(without_heights(workbook), "fods"))
    rows = 0
    for sheet, needed in natural.items():
        if len(own[sheet]) != len(needed):
            wrong.append(f"{sheet}: {len(own[sheet])} rows, {len(needed)} without heights")
        for at, (height, least) in enumerate(zip(own[sheet], needed), 1):
            rows += 1
            if height + 0.5 < least:
                wrong.append(f"{sheet} row {at} is {height:.0f} pt high, its text {least:.0f} pt")

    notice, sizes = pages(convert(folder / "notice.docx", "pdf"))
    wrong += [f"page {at} of the notice is {size}" for at, size in enumerate(sizes, 1) if size != A4]
    if "通报" not in notice[0].replace(" ", ""):
        wrong.append("the notice has no title")

    for line in wrong[:40]:
        print(line)
    print(f"{len(texts)} pages, {len(own)} sheets, {rows} rows, {len(notice)} pages of the notice: {len(wrong)} wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
