"""A REST catalog that answers what readers ask, over a warehouse on this machine."""

import contextlib
import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from iceberg_writing import local
from pyiceberg.exceptions import NoSuchTableError

TOKEN = "a-token-that-nobody-may-see"


@contextlib.contextmanager
def serve(lake):
    """Serve ``lake`` on a free port; gives the address."""

    class Handler(_Handler):
        catalog = lake.catalog

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    catalog = None
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._send(401, _error("NotAuthorizedException", f"wrong token {TOKEN}", 401))
            return
        url = urllib.parse.urlsplit(self.path)
        parts = [urllib.parse.unquote(part) for part in url.path.strip("/").split("/")][1:]
        query = urllib.parse.parse_qs(url.query)
        try:
            self._send(200, self._answer(parts, query))
        except NoSuchTableError as error:
            self._send(404, _error("NoSuchTableException", str(error), 404))

    def _answer(self, parts, query):
        match parts:
            case ["config"]:
                return {"defaults": {}, "overrides": {}}
            case ["namespaces"]:
                listed = [] if "parent" in query else self.catalog.list_namespaces()
                return {"namespaces": [list(name) for name in listed]}
            case ["namespaces", namespace, "tables"]:
                names = self.catalog.list_tables(_levels(namespace))
                return {"identifiers": [{"namespace": list(n[:-1]), "name": n[-1]} for n in names]}
            case ["namespaces", namespace, "tables", table]:
                location = self.catalog.load_table((*_levels(namespace), table)).metadata_location
                content = json.loads(Path(local(location)).read_text())
                return {"metadata-location": location, "metadata": content, "config": {}}
        raise AssertionError(parts)

    def _send(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def _levels(namespace):
    return tuple(namespace.split("\x1f"))


def _error(kind, message, code):
    return {"error": {"type": kind, "message": message, "code": code}}
