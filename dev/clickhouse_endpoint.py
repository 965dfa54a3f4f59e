"""ClickHouse's HTTP protocol in front of chDB, the ClickHouse engine as a library.

For development and tests: programs talk to it as to a server, with the same SQL. Each request has
a connection to the engine of its own, so settings and the current database end with the request.
What differs from a server stands in README.md.
"""

from __future__ import annotations

import argparse
import base64
import hmac
import os
import signal
import threading
import traceback
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from clickhouse_query import Engine, Query, Request
from clickhouse_text import ClickHouseError
from clickhouse_wire import BrokenBody, RequestBody, ResponseBody

MAX_URI_SIZE = 1 << 20
IDLE_SECONDS = 300


class Handler(BaseHTTPRequestHandler):
    """One client connection."""

    protocol_version = "HTTP/1.1"
    server_version = "chDB"
    sys_version = ""
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    server: Endpoint

    def handle_one_request(self) -> None:
        """The base class's, but for longer request lines: ClickHouse takes a URL of 1 MiB."""
        try:
            self.raw_requestline = self.rfile.readline(MAX_URI_SIZE + 64)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            if self.command not in ("GET", "POST", "PUT"):
                self.send_error(501)
                return
            self._answer()
        except (OSError, ValueError):  # the client is gone or too slow, or sends no HTTP
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: query strings hold passwords and values."""

    def _answer(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        params = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        if url.path == "/ping" or (url.path == "/" and self.command == "GET" and not url.query):
            self._small(200, "Ok.\n")
        elif url.path not in ("/", ""):
            self._small(404, f"There is no handle {url.path}\n")
        else:
            self._answer_query(params)

    def _small(self, status: int, body: str) -> None:
        RequestBody(self).drain()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=UTF-8")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def _answer_query(self, params: dict[str, str]) -> None:
        body = RequestBody(self)
        engine = self.server.engine
        headers = {
            "X-ClickHouse-Server-Display-Name": "chdb",
            "X-ClickHouse-Timezone": engine.timezone,
        }
        response = ResponseBody(self, headers, gzip=False, whole=False)
        try:
            self.server.authenticate(self, params)
            request = Request.parse(self, params)
            headers["X-ClickHouse-Query-Id"] = urllib.parse.quote(request.query_id, safe=":+=/@")
            response = ResponseBody(self, headers, request.gzip, request.wait_end)
            body.check_encoding()
            with engine.registered(request.query_id), engine.connection() as connection:
                Query(engine, request, connection, body, response, headers, self.connection).run()
        except BrokenBody as error:
            self.close_connection = True
            failure = ClickHouseError.raised_here(33, "CANNOT_READ_ALL_DATA", str(error))
            self._fail(response, body, failure)
        except ClickHouseError as error:
            self._fail(response, body, error)
        except OSError:
            raise
        except Exception as error:  # a mistake here
            traceback.print_exc()
            failure = ClickHouseError.raised_here(1002, "UNKNOWN_EXCEPTION", repr(error))
            self._fail(response, body, failure)
        else:
            body.drain()

    def _fail(self, response: ResponseBody, body: RequestBody, error: ClickHouseError) -> None:
        if not response.committed and not self.close_connection:
            try:
                body.drain()
            except BrokenBody:
                self.close_connection = True
        if "(version " not in error.message:
            error.message = f"{error.message.rstrip()} (version {self.server.engine.version})"
        response.fail(error)


class Endpoint(ThreadingHTTPServer):
    """The listening socket and the one user."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], engine: Engine, user: str, password: str) -> None:
        self.engine = engine
        self._user = user
        self._password = password
        super().__init__(address, Handler)

    def authenticate(self, handler: Handler, params: dict[str, str]) -> None:
        """Headers, Basic or parameters, never two of them at once."""
        headers = handler.headers
        ways = []
        if "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
            name = headers.get("X-ClickHouse-User", "default")
            ways.append((name, headers.get("X-ClickHouse-Key", "")))
        if headers.get("Authorization", "").startswith("Basic "):
            try:
                pair = base64.b64decode(headers["Authorization"][6:], validate=True).decode()
            except ValueError:
                pair = ":"
            name, _, key = pair.partition(":")
            ways.append((name, key))
        if "user" in params or "password" in params:
            ways.append((params.get("user", "default"), params.get("password", "")))
        if len(ways) > 1:
            raise ClickHouseError.raised_here(
                516, "AUTHENTICATION_FAILED", "Invalid authentication: it is not allowed to use "
                "several authentication methods simultaneously",
            )  # fmt: skip
        name, key = ways[0] if ways else ("default", "")
        same = hmac.compare_digest(name.encode(), self._user.encode())
        if not (hmac.compare_digest(key.encode(), self._password.encode()) and same):
            raise ClickHouseError.raised_here(
                516, "AUTHENTICATION_FAILED", f"{name}: Authentication failed: password is "
                "incorrect, or there is no user with such name.",
            )  # fmt: skip


def main() -> None:
    """Serves until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=18123)
    parser.add_argument("--path", type=Path, required=True, help="the data folder")
    parser.add_argument("--config", type=Path, help="the engine's configuration, in XML")
    parser.add_argument("--database", help="created if it does not exist")
    parser.add_argument("--user", default="default")
    secret = parser.add_mutually_exclusive_group()
    secret.add_argument("--password", default="")
    secret.add_argument("--password-file", type=Path, help="keeps it out of the process list")
    options = parser.parse_args()
    password = options.password
    if options.password_file:
        password = options.password_file.read_text().strip()
    config = options.config.resolve() if options.config else None
    engine = Engine(options.path.resolve(), options.database, config)
    endpoint = Endpoint((options.host, options.port), engine, options.user, password)

    def stop(*_: object) -> None:  # shutdown() waits for the loop that this thread runs
        threading.Thread(target=endpoint.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"serving ClickHouse {engine.version} on {options.host}:{options.port}", flush=True)
    endpoint.serve_forever(poll_interval=0.2)
    engine.stop()
    print("stopped", flush=True)
    # The engine's threads need no further farewell, and idle clients would hold up a normal exit.
    os._exit(0)


if __name__ == "__main__":
    main()
