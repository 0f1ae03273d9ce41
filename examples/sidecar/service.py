"""A service that trusts the headers of the identity, and is reached through
gatewayauth guard alone: it listens on loopback. Only Python's standard library."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_request(self):
        body = self.body()
        if body is None:  # the sender broke off, or guard refused the body at its end
            self.close_connection = True
            return
        if self.path == "/healthz":
            return self.respond(200, {"status": "ok"})
        if self.headers.get("X-Gatewayauth-Verified") != "true":
            return self.respond(401, {"error": "not verified"})
        self.respond(200, {
            "key": self.headers["X-Gatewayauth-Key"],
            "signed_headers": self.headers["X-Gatewayauth-Signed-Headers"].split(";"),
            "method": self.command,
            "target": self.path,
            "bytes": len(body),
        })

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_request

    def body(self):
        """Returns the whole body, or None if it did not arrive whole."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self.chunks()
        length = int(self.headers.get("Content-Length", 0))
        data = self.rfile.read(length)
        return data if len(data) == length else None

    def chunks(self):
        data = b""
        while True:
            line = self.rfile.readline()
            if not line.endswith(b"\r\n"):
                return None
            size = int(line.split(b";")[0], 16)
            chunk = self.rfile.read(size + 2)
            if len(chunk) != size + 2:
                return None
            if size == 0:
                return data
            data += chunk[:-2]

    def respond(self, status, value):
        text = json.dumps(value).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    print("ready http://127.0.0.1:%d/" % server.server_port, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
