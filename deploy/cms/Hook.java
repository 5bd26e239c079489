import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Sends a published report to gongkai as a signed CloudEvent and prints the receipt. JDK 17 or later, nothing else.
 *
 * <pre>GONGKAI_SECRET=whsec_… java Hook.java FILE ARTICLE_URL</pre>
 *
 * GONGKAI_URL is the server (default http://127.0.0.1:8080), GONGKAI_SOURCE the site's URI as in [ingest.sites.*] source
 * (default: scheme and host of the article), GONGKAI_AGENCY and GONGKAI_YEAR what the CMS knows of the report, GONGKAI_TYPE
 * the event's type (default gongkai.report.published.v1). Without a secret the event is not signed.
 */
public final class Hook {
    private static final int ATTEMPTS = 6;
    private static final long LONGEST_S = 60;

    private Hook() {}

    public static void main(String[] arguments) throws Exception {
        Path file = Path.of(arguments[0]);
        String article = arguments[1];
        byte[] content = Files.readAllBytes(file);
        String id = id(article, content);
        byte[] body = event(id, content, file, article).getBytes(StandardCharsets.UTF_8);
        System.exit(deliver(id, body) ? 0 : 1);
    }

    /** The id changes with the content and only with it, so that a repeat is harmless and an update counts. */
    private static String id(String article, byte[] content) throws GeneralSecurityException {
        MessageDigest hash = MessageDigest.getInstance("SHA-256");
        hash.update((article + "\n").getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(hash.digest(content));
    }

    private static String event(String id, byte[] content, Path file, String article) {
        URI site = URI.create(article);
        String year = setting("GONGKAI_YEAR", "");
        String data = "{\"url\":" + quoted(article)
            + (year.isEmpty() ? "" : ",\"year\":" + Integer.parseInt(year))
            + ",\"agency\":{\"name\":" + quoted(setting("GONGKAI_AGENCY", "")) + "}"
            + ",\"content\":{\"filename\":" + quoted(file.getFileName().toString())
            + ",\"base64\":\"" + Base64.getEncoder().encodeToString(content) + "\"}}";
        return "{\"specversion\":\"1.0\",\"datacontenttype\":\"application/json\",\"id\":" + quoted(id)
            + ",\"type\":" + quoted(setting("GONGKAI_TYPE", "gongkai.report.published.v1"))
            + ",\"source\":" + quoted(setting("GONGKAI_SOURCE", site.getScheme() + "://" + site.getRawAuthority()))
            + ",\"subject\":" + quoted(article) + ",\"data\":" + data + "}";
    }

    /** Sends until it is taken, refused for good, or given up. */
    private static boolean deliver(String id, byte[] body) throws Exception {
        URI url = URI.create(setting("GONGKAI_URL", "http://127.0.0.1:8080").replaceAll("/+$", "") + "/v1/events");
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10)).build();
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            long pause = 1L << attempt;
            try {
                HttpResponse<String> answer =
                    client.send(request(url, id, body), HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
                int status = answer.statusCode();
                if (status / 100 == 2) {
                    print(System.out, answer.body());
                    return true;
                }
                print(System.err, "attempt " + (attempt + 1) + ": " + status + " " + answer.body());
                if (status != 408 && status != 429 && status < 500) {
                    return false;
                }
                String after = answer.headers().firstValue("Retry-After").orElse("");
                pause = after.matches("\\d{1,9}") ? Long.parseLong(after) : pause;
            } catch (IOException error) {
                print(System.err, "attempt " + (attempt + 1) + ": " + error);
            }
            if (attempt + 1 < ATTEMPTS) {
                Thread.sleep(1000 * Math.min(pause, LONGEST_S));
            }
        }
        return false;
    }

    /** A request with a new signature: one that is older than five minutes is refused. */
    private static HttpRequest request(URI url, String id, byte[] body) throws GeneralSecurityException {
        HttpRequest.Builder request = HttpRequest.newBuilder(url).timeout(Duration.ofSeconds(30))
            .header("Content-Type", "application/cloudevents+json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(body));
        String secret = setting("GONGKAI_SECRET", "");
        if (!secret.isEmpty()) {
            String stamp = Long.toString(Instant.now().getEpochSecond());
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(Base64.getDecoder().decode(secret.replaceFirst("^whsec_", "")), "HmacSHA256"));
            mac.update((id + "." + stamp + ".").getBytes(StandardCharsets.UTF_8));
            String signature = Base64.getEncoder().encodeToString(mac.doFinal(body));
            request.header("webhook-id", id).header("webhook-timestamp", stamp)
                .header("webhook-signature", "v1," + signature);
        }
        return request.build();
    }

    private static String setting(String name, String otherwise) {
        String value = System.getenv(name);
        return value == null || value.isEmpty() ? otherwise : value;
    }

    /** A JSON string. */
    private static String quoted(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c < ' ' || c == '"' || c == '\\' || c > '~') {
                json.append(String.format("\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        return json.append('"').toString();
    }

    private static void print(java.io.PrintStream stream, String line) {
        stream.writeBytes((line + "\n").getBytes(StandardCharsets.UTF_8));
    }
}
