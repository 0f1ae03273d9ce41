"""A service of Python's http.server. It reads each request, and then lets the test answer
it: it sends what it has read to the address in X-Coretest-Answers, and returns the
response."""

import http.client
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

http.client._MAXHEADERS = 1000  # the limits under test are the verifier's


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __getattr__(self, name):
        if name.startswith("do_"):  # any method
            return self.relay
        raise AttributeError(name)

    def relay(self):
        self.close_connection = True
        body = self.body()
        if body is None:
            return
        host, port = self.headers["X-Coretest-Answers"].split(":")
        upgrade = self.headers.get("Upgrade") == "websocket"
        head = ["%s %s HTTP/1.1" % (self.command, self.path)]
        for name, value in self.headers.items():
            if name != "Connection":
                head.append("%s: %s" % (name, value))
        head.append("Connection: " + ("Upgrade" if upgrade else "close"))
        with socket.create_connection((host, int(port))) as answers:
            answers.sendall("\r\n".join(head + ["", ""]).encode("latin-1") + body)
            if upgrade:
                threading.Thread(target=self.pump, args=(self.connection, answers), daemon=True).start()
            self.pump(answers, self.connection)

    def pump(self, source, to):
        try:
            while data := source.recv(65536):
                to.sendall(data)
        except OSError:
            pass

    def body(self):
        """Returns the body as it is sent on, or None if it did not arrive whole."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            data = self.chunks()
            if data is None:
                return None
            return (b"%x\r\n%s\r\n" % (len(data), data) if data else b"") + b"0\r\n\r\n"
        length = int(self.headers.get("Content-Length", 0))
        data = self.rfile.read(length)
        return data if len(data) == length else None

    def chunks(self):
        parts = []
        while True:
            line = self.rfile.readline()
            if not line.endswith(b"\r\n"):
                return None
            size = int(line, 16)
            chunk = self.rfile.read(size + 2)
            if len(chunk) != size + 2:
                return None
            if size == 0:
                return b"".join(parts)
            parts.append(chunk[:-2])

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


server = Server(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
