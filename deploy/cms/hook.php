<?php
// Sends a published report to gongkai as a signed CloudEvent and prints the receipt. PHP 8, no extension beyond the core.
//
//     GONGKAI_SECRET=whsec_… php hook.php FILE ARTICLE_URL
//
// GONGKAI_URL is the server (default http://127.0.0.1:8080), GONGKAI_SOURCE the site's URI as in [ingest.sites.*] source
// (default: scheme and host of the article), GONGKAI_AGENCY and GONGKAI_YEAR what the CMS knows of the report, GONGKAI_TYPE
// the event's type (default gongkai.report.published.v1). Without a secret the event is not signed.
declare(strict_types=1);

const ATTEMPTS = 6;
const LONGEST_S = 60;

function setting(string $name, string $default = ''): string
{
    return getenv($name) ?: $default;
}

/** The event. Its id changes with the content and only with it, so that a repeat is harmless and an update counts. */
function event(string $content, string $file, string $article): array
{
    $site = parse_url($article);
    $host = $site['scheme'] . '://' . $site['host'] . (isset($site['port']) ? ':' . $site['port'] : '');
    $data = [
        'url' => $article,
        'agency' => ['name' => setting('GONGKAI_AGENCY')],
        'content' => ['filename' => basename($file), 'base64' => base64_encode($content)],
    ];
    if (setting('GONGKAI_YEAR') !== '') {
        $data['year'] = (int) setting('GONGKAI_YEAR');
    }
    return [
        'specversion' => '1.0',
        'id' => hash('sha256', $article . "\n" . $content),
        'source' => setting('GONGKAI_SOURCE', $host),
        'type' => setting('GONGKAI_TYPE', 'gongkai.report.published.v1'),
        'subject' => $article,
        'datacontenttype' => 'application/json',
        'data' => $data,
    ];
}

/** The headers, with a new signature: one that is older than five minutes is refused. */
function signed(string $id, string $body): array
{
    $headers = ['Content-Type: application/cloudevents+json'];
    $secret = setting('GONGKAI_SECRET');
    if ($secret !== '') {
        $key = base64_decode(preg_replace('/^whsec_/', '', $secret));
        $stamp = (string) time();
        $signature = base64_encode(hash_hmac('sha256', "$id.$stamp.$body", $key, true));
        array_push($headers, "webhook-id: $id", "webhook-timestamp: $stamp", "webhook-signature: v1,$signature");
    }
    return $headers;
}

/** One attempt: status (0 if nobody answered), body, and what Retry-After says. */
function send(string $url, string $id, string $body): array
{
    $context = stream_context_create(['http' => [
        'method' => 'POST', 'header' => signed($id, $body), 'content' => $body, 'timeout' => 30, 'ignore_errors' => true,
    ]]);
    $text = @file_get_contents($url, false, $context);
    if ($text === false) {
        return [0, error_get_last()['message'] ?? 'no answer', null];
    }
    $headers = implode("\n", $http_response_header);
    preg_match('~^HTTP/\S+ (\d+)~', $headers, $status);
    preg_match('~^Retry-After: *(\d+)\s*$~mi', $headers, $after);
    return [(int) $status[1], $text, isset($after[1]) ? (int) $after[1] : null];
}

[, $file, $article] = $argv;
$event = event(file_get_contents($file), $file, $article);
$body = json_encode($event, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR);
$url = rtrim(setting('GONGKAI_URL', 'http://127.0.0.1:8080'), '/') . '/v1/events';
for ($attempt = 0; $attempt < ATTEMPTS; $attempt++) {
    [$status, $text, $after] = send($url, $event['id'], $body);
    if ($status >= 200 && $status < 300) {
        echo $text, "\n";
        exit(0);
    }
    fwrite(STDERR, 'attempt ' . ($attempt + 1) . ": $status $text\n");
    if (!in_array($status, [0, 408, 429], true) && $status < 500) {
        exit(1);
    }
    if ($attempt + 1 < ATTEMPTS) {
        sleep(min($after ?? 2 ** $attempt, LONGEST_S));
    }
}
exit(1);
