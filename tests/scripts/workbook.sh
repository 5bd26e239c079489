#!/usr/bin/env bash
# workbook.sh BODIES: makes the workbook, the lists and the notice of a folder, and holds their print to workbook.py.
# KEEP=DIR keeps what was made there, with a picture of each page.
set -euo pipefail
cd "$(dirname "$0")/../.."
if ! command -v soffice >/dev/null || ! command -v pdftotext >/dev/null; then
    apt-get update -q
    apt-get install -yq --no-install-recommends \
        libreoffice-calc-nogui libreoffice-writer-nogui poppler-utils fonts-noto-cjk
fi
cargo build --quiet -p gongkai
cargo build --quiet -p gongkai-tests --bin county
programs=${CARGO_TARGET_DIR:-target}/debug
folder=${KEEP:-}
if [ -n "$folder" ]; then mkdir -p "$folder"; else
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
fi
"$programs/county" files "$folder" "$1"
"$programs/gongkai" check "$folder/reports" --agencies "$folder/agencies.csv" --fail-on never \
    --format xlsx --output "$folder/workbook.xlsx" --lists "$folder/lists" --notice "$folder/notice.docx" \
    --office 云溪县政务公开办公室 --due 2024-02-28 --contact '王某 0795-1234567'
python3 tests/scripts/workbook.py "$folder"
if [ -n "${KEEP:-}" ]; then pdftoppm -r 60 -png "$folder/workbook.pdf" "$folder/page"; fi
