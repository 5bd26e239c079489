"""deploy/runbooks: a page for every rejection code, every dead-letter code and every alert, with its headings, in the index."""
import re

import observability
from checking import DEPLOY, ROOT

FOLDER = DEPLOY / "runbooks"
HEADINGS = ["含义", "先看", "处理", "何时找谁"]
SERVICES = ROOT / "services"
REJECTIONS = SERVICES / "lib/model/src/rejection.rs"
LETTERS = SERVICES / "lib/worker/src/dead_letter.rs"
# Where a code is not a literal of its call: the function of notify that returns it.
CODES_OF_DELIVERIES = "fn code(&self) -> &'static str {"


def check():
    for kind, codes in [("rejected", rejections()), ("dead", dead_letters()), ("alerts", observability.names_of_alerts())]:
        pages = {path.stem: path for path in (FOLDER / kind).glob("*.md")}
        for code in sorted(codes - set(pages)):
            yield f"{kind}/{code}.md is missing"
        for code in sorted(set(pages) - codes):
            yield f"{kind}/{code}.md is of something that there is not"
        index = (FOLDER / "README.md").read_text()
        for code, path in sorted(pages.items()):
            text = path.read_text()
            if re.findall(r"^## (.*)$", text, re.M) != HEADINGS or not text.startswith(f"# {code}："):
                yield f"{kind}/{code}.md has other headings than {HEADINGS}"
            if re.search(r"^## .*\n\s*(?=## |\Z)", text, re.M):
                yield f"{kind}/{code}.md has an empty section"
            if f"[{code}]({kind}/{code}.md)" not in index:
                yield f"the index lacks {kind}/{code}.md"
            for target in re.findall(r"\]\(([^)]*)\)", text):
                if not (path.parent / target).exists():
                    yield f"{kind}/{code}.md links {target}, which is not there"


def rejections():
    body = REJECTIONS.read_text().split("pub enum RejectionCode {", 1)[1].split("\n}", 1)[0]
    variants = re.findall(r"^    ([A-Z]\w*),", body, re.M)
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", variant).upper() for variant in variants}


def dead_letters():
    """The codes that services bury messages under: literals, and constants by their names."""
    codes = set(re.findall(r'^pub const \w+: &str = "([A-Z_]+)"', LETTERS.read_text(), re.M))
    for path in SERVICES.rglob("src/**/*.rs"):
        text = path.read_text()
        constants = dict(re.findall(r'const (\w+): &str = "([A-Z_]+)"', text))
        for literal, name in re.findall(r'(?:Decision|Self)::bury\(\s*(?:"([A-Z_]+)"|([A-Z_]+)\b)', text):
            if literal or name in constants:
                codes.add(literal or constants[name])
    texts = [path.read_text() for path in SERVICES.glob("notify/src/**/*.rs")]
    [returned] = [text.split(CODES_OF_DELIVERIES, 1)[1].split("\n    }\n", 1)[0] for text in texts if CODES_OF_DELIVERIES in text]
    return codes | set(re.findall(r'"([A-Z_]+)"', returned))
