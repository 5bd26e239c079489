#!/bin/sh
# Sends a published report to gongkai as a signed CloudEvent and prints the receipt. Needs curl and openssl.
#
#   GONGKAI_SECRET=whsec_… sh hook.sh FILE ARTICLE_URL
#
# GONGKAI_URL is the server (default http://127.0.0.1:8080), GONGKAI_SOURCE the site's URI as in [ingest.sites.*] source
# (default: scheme and host of the article), GONGKAI_AGENCY and GONGKAI_YEAR what the CMS knows of the report, GONGKAI_MEDIA
# the file's media type (default text/html), GONGKAI_TYPE the event's type (default gongkai.report.published.v1). Without a
# secret the event is not signed.
set -eu
file=$1
article=$2
url=${GONGKAI_URL:-http://127.0.0.1:8080}
source=${GONGKAI_SOURCE:-$(printf %s "$article" | sed 's|^\([^/]*//[^/]*\).*|\1|')}
# The id changes with the content and only with it, so that a repeat is harmless and an update counts.
id=$({ printf '%s\n' "$article"; cat "$file"; } | openssl dgst -sha256 -r | cut -c 1-64)

hex() { od -An -v -tx1 | tr -d ' \n'; }
# A JSON string.
text() { printf '"%s"' "$(printf %s "$1" | tr -d '\000-\037' | sed 's/\\/\\\\/g; s/"/\\"/g')"; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The event in structured mode: the signature covers all that decides.
{
    printf '{"specversion":"1.0","id":"%s","type":%s' "$id" "$(text "${GONGKAI_TYPE:-gongkai.report.published.v1}")"
    printf ',"source":%s,"subject":%s,"datacontenttype":"application/json"' "$(text "$source")" "$(text "$article")"
    printf ',"data":{"agency":{"name":%s}' "$(text "${GONGKAI_AGENCY:-}")"
    if [ -n "${GONGKAI_YEAR:-}" ]; then printf ',"year":%s' "$GONGKAI_YEAR"; fi
    printf ',"content":{"media_type":%s,"base64":"' "$(text "${GONGKAI_MEDIA:-text/html}")"
    openssl base64 -A <"$file"
    printf '"}}}'
} >"$work/event"

# One attempt. Prints the status, 000 if nobody answered.
send() {
    set -- -H 'content-type: application/cloudevents+json'
    if [ -n "${GONGKAI_SECRET:-}" ]; then
        key=$(printf %s "${GONGKAI_SECRET#whsec_}" | openssl base64 -d -A | hex)
        stamp=$(date +%s)
        signature=$({ printf '%s.%s.' "$id" "$stamp"; cat "$work/event"; } |
            openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)
        set -- "$@" -H "webhook-id: $id" -H "webhook-timestamp: $stamp" -H "webhook-signature: v1,$signature"
    fi
    curl -sS --max-time 30 -o "$work/answer" -D "$work/headers" -w '%{http_code}' \
        --data-binary "@$work/event" "$@" "$url/v1/events" || true
}

attempt=1
pause=1
while :; do
    : >"$work/answer"
    : >"$work/headers"
    status=$(send)
    case $status in
    2??)
        cat "$work/answer"
        echo
        exit 0
        ;;
    esac
    echo "attempt $attempt: $status $(cat "$work/answer")" >&2
    case $status in
    000 | 408 | 429 | 5??) ;;
    *) exit 1 ;;
    esac
    if [ "$attempt" -ge 6 ]; then exit 1; fi
    wait=$(tr -d '\r' <"$work/headers" | sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9][0-9]*\)$/\1/p')
    wait=${wait:-$pause}
    if [ "$wait" -gt 60 ]; then wait=60; fi
    sleep "$wait"
    attempt=$((attempt + 1))
    pause=$((pause * 2))
done
