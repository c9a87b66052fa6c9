"""An object store of one bucket in memory that speaks as much S3 as Limn asks of its own bucket, for scripts that kill servers beside it.

Signatures are not checked and there are no uploads in parts (objects of up to 16 MiB). What it holds can be made older.
"""

import hashlib
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "limn"
# Objects of a page: few, so that lists have several.
PAGE = 100


class Bucket:
    def __init__(self) -> None:
        # Bytes, and when they were written.
        self.objects: dict[str, tuple[bytes, float]] = {}
        self.lock = threading.Lock()
        bucket = self

        class Handler(Answer):
            store = bucket

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def below(self, prefix: str) -> dict[str, bytes]:
        """Bytes by the rest of the key."""
        with self.lock:
            return {k.removeprefix(prefix): v[0] for k, v in self.objects.items() if k.startswith(prefix)}

    def age(self, seconds: float) -> None:
        with self.lock:
            self.objects = {k: (data, at - seconds) for k, (data, at) in self.objects.items()}


class Answer(BaseHTTPRequestHandler):
    store: Bucket
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        pass

    def asked(self) -> tuple[str, dict[str, str]]:
        """The key, and the query."""
        parts = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}
        return unquote(parts.path).removeprefix(f"/{BUCKET}").lstrip("/"), query

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def missing(self) -> None:
        self.answer(404, b"<Error><Code>NoSuchKey</Code><Message>There is none.</Message></Error>")

    def do_PUT(self) -> None:
        key, _ = self.asked()
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if hashlib.sha256(data).hexdigest() != self.headers.get("x-amz-content-sha256"):
            # The sender was killed.
            return self.answer(400, b"<Error><Code>XAmzContentSHA256Mismatch</Code><Message>Cut off.</Message></Error>")
        with self.store.lock:
            self.store.objects[key] = (data, time.time())
        self.answer(200, ETag=f'"{hashlib.md5(data).hexdigest()}"')

    def do_GET(self) -> None:
        key, query = self.asked()
        if not key:
            return self.page(query)
        with self.store.lock:
            found = self.store.objects.get(key)
        if found is None:
            return self.missing()
        data, status = found[0], 200
        tag = f'"{hashlib.md5(data).hexdigest()}"'
        headers = {"ETag": tag, "Last_Modified": formatdate(found[1], usegmt=True)}
        if asked := self.headers.get("Range"):
            start, _, end = asked.removeprefix("bytes=").partition("-")
            first, last = int(start), min(int(end or len(data)), len(data) - 1)
            if first >= len(data):
                return self.answer(416, b"<Error><Code>InvalidRange</Code><Message>Behind the end.</Message></Error>")
            headers["Content_Range"] = f"bytes {first}-{last}/{len(data)}"
            data, status = data[first : last + 1], 206
        self.answer(status, data, **headers)

    do_HEAD = do_GET

    def do_DELETE(self) -> None:
        with self.store.lock:
            self.store.objects.pop(self.asked()[0], None)
        self.answer(204)

    def page(self, query: dict[str, str]) -> None:
        prefix, after = query.get("prefix", ""), query.get("continuation-token", "")
        with self.store.lock:
            found = sorted((k, v) for k, v in self.store.objects.items() if k.startswith(prefix) and k > after)
        rows = "".join(
            f"<Contents><Key>{escape(k)}</Key><LastModified>{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(at))}</LastModified>"
            f"<Size>{len(data)}</Size></Contents>"
            for k, (data, at) in found[:PAGE]
        )
        more = len(found) > PAGE
        token = f"<NextContinuationToken>{escape(found[PAGE - 1][0])}</NextContinuationToken>" if more else ""
        xml = f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}</ListBucketResult>"
        self.answer(200, xml.encode(), Content_Type="application/xml")
