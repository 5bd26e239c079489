"""Sends a published report to gongkai as a signed CloudEvent and prints the receipt. Standard library only.

    GONGKAI_SECRET=whsec_… python3 hook.py FILE ARTICLE_URL

GONGKAI_URL is the server (default http://127.0.0.1:8080), GONGKAI_SOURCE the site's URI as in `[ingest.sites.*] source`
(default: scheme and host of the article), GONGKAI_AGENCY and GONGKAI_YEAR what the CMS knows of the report, GONGKAI_TYPE
the event's type (default gongkai.report.published.v1). Without a secret the event is not signed.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

ATTEMPTS = 6
LONGEST_S = 60


def event(content: bytes, name: str, article: str) -> dict:
    """The event. Its id changes with the content and only with it, so that a repeat is harmless and an update counts."""
    site = urlsplit(article)
    data = {
        "url": article,
        "agency": {"name": os.environ.get("GONGKAI_AGENCY", "")},
        "content": {"filename": os.path.basename(name), "base64": base64.b64encode(content).decode()},
    }
    if os.environ.get("GONGKAI_YEAR"):
        data["year"] = int(os.environ["GONGKAI_YEAR"])
    return {
        "specversion": "1.0",
        "id": hashlib.sha256(article.encode() + b"\n" + content).hexdigest(),
        "source": os.environ.get("GONGKAI_SOURCE") or f"{site.scheme}://{site.netloc}",
        "type": os.environ.get("GONGKAI_TYPE") or "gongkai.report.published.v1",
        "subject": article,
        "datacontenttype": "application/json",
        "data": data,
    }


def signed(message_id: str, body: bytes) -> dict:
    """The headers, with a new signature: one that is older than five minutes is refused."""
    headers = {"Content-Type": "application/cloudevents+json"}
    secret = os.environ.get("GONGKAI_SECRET", "")
    if secret:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        stamp = str(int(time.time()))
        digest = hmac.new(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
        headers["webhook-id"] = message_id
        headers["webhook-timestamp"] = stamp
        headers["webhook-signature"] = "v1," + base64.b64encode(digest).decode()
    return headers


def send(url: str, message_id: str, body: bytes) -> tuple[int, str, str]:
    """One attempt: status (0 if nobody answered), body, and what Retry-After says."""
    request = urllib.request.Request(url, data=body, headers=signed(message_id, body), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode(), ""
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode(), refused.headers.get("Retry-After", "")
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        return 0, str(error), ""


def main() -> int:
    name, article = sys.argv[1], sys.argv[2]
    with open(name, "rb") as file:
        message = event(file.read(), name, article)
    body = json.dumps(message, ensure_ascii=False).encode()
    url = os.environ.get("GONGKAI_URL", "http://127.0.0.1:8080").rstrip("/") + "/v1/events"
    for attempt in range(ATTEMPTS):
        status, text, retry_after = send(url, message["id"], body)
        if 200 <= status < 300:
            print(text)
            return 0
        print(f"attempt {attempt + 1}: {status} {text}", file=sys.stderr)
        if status not in (0, 408, 429) and status < 500:
            return 1
        if attempt + 1 < ATTEMPTS:
            time.sleep(min(int(retry_after) if retry_after.isdigit() else 2**attempt, LONGEST_S))
    return 1


if __name__ == "__main__":
    sys.exit(main())
