"""One request's query: what the request asks for, and its way through the engine."""

from __future__ import annotations

import fcntl
import json
import re
import select
import socket
import sys
import threading
import time
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Iterator, NamedTuple, Optional

import chdb

import clickhouse_text as text
from clickhouse_text import ClickHouseError
from clickhouse_wire import READ_SIZE, RequestBody, ResponseBody

MAX_QUERY_SIZE = 262_144
STOP_SECONDS = 5

# Parameters that are not settings (HTTPHandler.cpp).
RESERVED = {"query", "user", "password", "quota_key", "database", "default_format", "query_id",
            "wait_end_of_query", "buffer_size", "stacktrace", "role", "compress", "decompress",
            "session_id", "session_timeout", "session_check", "close_session"}  # fmt: skip
UNSUPPORTED = ("compress", "decompress", "session_id", "role")
READING = ("SELECT", "WITH", "FROM")


class Engine:
    """The open data folder, and which queries run in it."""

    def __init__(
        self, folder: Path, database: Optional[str], config: Optional[Path] = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock_file = self._take_lock(folder)
        self._path = f"{folder}?config-file={config}" if config else str(folder)
        # While one connection is open the engine stays up: 1 ms for a further one, else 9 ms.
        self._anchor = chdb.connect(self._path)
        version, self.timezone = self.rows("SELECT version(), timezone()")[0].split("\t")
        self.version = version
        if database:
            self.rows(f"CREATE DATABASE IF NOT EXISTS `{database}`")
        self._running: set[str] = set()
        self._mutex = threading.Lock()

    @staticmethod
    def _take_lock(folder: Path) -> Any:
        """Two engines in one folder would destroy it; the lock goes with the process."""
        lock = open(folder / "endpoint.lock", "a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit(f"clickhouse_endpoint: {folder} is in use by another endpoint")
        return lock

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """A connection for one request."""
        connection = chdb.connect(self._path)
        try:
            yield connection
        finally:
            connection.close()

    def rows(self, sql: str) -> list[str]:
        """A small question of our own."""
        with self.connection() as connection:
            return connection.query(sql, "TabSeparated").bytes().decode().splitlines()

    @contextmanager
    def registered(self, query_id: str) -> Iterator[None]:
        """A server refuses a query id that is running already."""
        with self._mutex:
            if query_id in self._running:
                raise ClickHouseError.raised_here(
                    216,
                    "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
                    f"Query with id = {query_id} is already running.",
                )
            self._running.add(query_id)
        try:
            yield
        finally:
            with self._mutex:
                self._running.discard(query_id)

    def cancel(self, query_id: str) -> None:
        """Asks one query to stop; it ends with code 394."""
        if tag := text.tag(query_id):
            self.rows(f"KILL QUERY WHERE startsWith(query, '{tag}') ASYNC")

    def stop(self) -> None:
        """Cancels what runs, waits for it for a while, and closes the folder."""
        self.rows("KILL QUERY WHERE startsWith(query, '/* query_id:') ASYNC")
        deadline = time.monotonic() + STOP_SECONDS
        while self._running and time.monotonic() < deadline:
            time.sleep(0.02)
        self._anchor.close()


class Request(NamedTuple):
    """What the URL and the headers say."""

    query: str
    query_id: str
    database: str
    format: str
    settings: dict[str, str]
    bound: dict[str, str]
    read_only: bool
    wait_end: bool
    gzip: bool
    watch_client: bool

    @classmethod
    def parse(cls, handler: BaseHTTPRequestHandler, params: dict[str, str]) -> Request:
        headers = handler.headers
        for name in UNSUPPORTED:
            if params.get(name, "0") not in ("", "0"):
                raise ClickHouseError.raised_here(
                    48, "NOT_IMPLEMENTED", f"The parameter {name} is not supported here"
                )
        bound = {name[6:]: value for name, value in params.items() if name.startswith("param_")}
        settings = {
            name: value
            for name, value in params.items()
            if name not in RESERVED and not name.startswith("param_")
        }

        def is_on(name: str, default: str = "0") -> bool:
            return params.get(name, default) not in ("", "0", "false")

        return cls(
            query=params.get("query", ""),
            query_id=params.get("query_id") or str(uuid.uuid4()),
            database=params.get("database") or headers.get("X-ClickHouse-Database", ""),
            format=params.get("default_format")
            or headers.get("X-ClickHouse-Format", "TabSeparated"),
            settings=settings,
            bound=bound,
            read_only=handler.command == "GET",
            wait_end=is_on("wait_end_of_query") or is_on("http_wait_end_of_query"),
            # On unless switched off, as in the engine's own defaults.
            gzip="gzip" in headers.get("Accept-Encoding", "")
            and is_on("enable_http_compression", "1"),
            watch_client=is_on("cancel_http_readonly_queries_on_client_close"),
        )


class Query:
    """One request's query, from its text to the end of its result."""

    def __init__(
        self, engine: Engine, request: Request, connection: Any, body: RequestBody,
        response: ResponseBody, headers: dict[str, str], client: socket.socket,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._request = request
        self._connection = connection
        self._body = body
        self._response = response
        self._headers = headers
        self._client = client

    def run(self) -> None:
        """Answers the request, or raises ClickHouseError, BrokenBody, or OSError (client gone)."""
        try:
            self._run()
        except RuntimeError as error:  # all that the engine raises
            tag = text.tag(self._request.query_id)
            raise ClickHouseError.from_engine(error, tag) from error

    def _run(self) -> None:
        """Reads the head of the text, and goes one of three ways: insert, stream, whole."""
        self._prepare()
        head = self._request.query.encode()
        if head:
            head += b"\n"
        # With the statement in the URL, a slow body is inserted as it comes.
        insert = text.split_insert(head)
        if insert is None:
            head += self._body.read_head(MAX_QUERY_SIZE)
            insert = text.split_insert(head)
        if insert:
            if self._request.read_only:
                raise ClickHouseError.raised_here(
                    164, "READONLY", "Cannot execute query in readonly mode (a GET request)."
                )
            self._insert(insert, head[insert.data_start :])
            return
        statement = text.aim_at_tag(head + self._rest())
        self._refuse_what_differs(statement)
        with self._watch(text.first_word(statement)):
            self._select(statement)

    @staticmethod
    def _refuse_what_differs(statement: bytes) -> None:
        """What the engine takes and a server does not, or takes and does wrongly."""
        first = text.first_word(statement)
        if not first:
            raise ClickHouseError.raised_here(62, "SYNTAX_ERROR", "Empty query")
        if first == "INSERT":
            if text.reads_input(statement[:MAX_QUERY_SIZE]):
                raise ClickHouseError.raised_here(
                    48, "NOT_IMPLEMENTED", "INSERT ... SELECT FROM input() is not supported here"
                )
        elif text.has_second_statement(statement):
            raise ClickHouseError.raised_here(
                62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)"
            )

    def _prepare(self) -> None:
        """The database and the settings, for this connection alone."""
        if self._request.database:
            quoted = self._request.database.replace("\\", "\\\\").replace("`", "\\`")
            self._connection.query(f"USE `{quoted}`")
        settings = dict(self._request.settings)
        if self._request.read_only:
            settings.setdefault("readonly", "2")
        for name in settings:
            if not re.fullmatch(r"\w+", name):
                raise ClickHouseError.raised_here(
                    115, "UNKNOWN_SETTING", f"Unknown setting '{name}'"
                )
        if settings:
            readonly_last = sorted(settings.items(), key=lambda item: item[0] == "readonly")
            self._set(readonly_last)

    def _set(self, values: list[tuple[str, str]]) -> None:
        pairs = (f"{name} = {_literal(value)}" for name, value in values)
        self._connection.query("SET " + ", ".join(pairs))

    def _rest(self) -> bytes:
        """The remaining text of a statement: big only for INSERT ... VALUES."""
        pieces = []
        while piece := self._body.read():
            pieces.append(piece)
        return b"".join(pieces)

    def _insert(self, insert: text.Insert, first_data: bytes) -> None:
        """Streams the data in. A block that is not complete is given up when the body breaks off."""
        if self._request.bound:  # send_insert takes none: bind them to the connection
            self._set([(f"param_{name}", value) for name, value in self._request.bound.items()])
        sql = text.tag(self._request.query_id) + insert.sql
        stream = self._connection.send_insert(sql, insert.format)
        try:
            if first_data:
                stream.append(first_data)
            while data := self._body.read(READ_SIZE):
                stream.append(data)
            result = stream.finish()
        except BaseException:
            _quietly(stream.cancel)
            raise
        self._headers["X-ClickHouse-Format"] = insert.format
        self._response.finish(_summary(result.rows_written, result.bytes_written))

    def _select(self, statement: bytes) -> None:
        name = text.named_format(statement) or self._request.format
        self._headers["X-ClickHouse-Format"] = name
        self._headers["Content-Type"] = text.content_type(name)
        sql = text.tag(self._request.query_id) + statement.decode()
        streams = text.first_word(statement) in READING
        streams = streams and text.streamable(name, statement)
        if streams and "extremes" not in self._request.settings and self._stream(sql, name):
            self._response.finish()
        else:
            self._whole(sql)

    def _stream(self, sql: str, name: str) -> bool:
        """Sends block after block. False, with nothing sent, if the query has to run as a whole."""
        try:
            stream = self._connection.send_query(sql, self._request.format, self._request.bound)
        except RuntimeError as error:
            if "Streaming query is not supported" in str(error):  # WITH ... INSERT, for one
                return False
            raise
        first = True
        try:
            for chunk in stream:
                block = chunk.bytes()
                self._response.write(block if first else block[text.header_length(name, block) :])
                first = False
        except BaseException:
            _quietly(stream.cancel)
            raise
        return not first or not text.has_header(name)

    def _whole(self, sql: str) -> None:
        result = self._connection.query(sql, self._request.format, self._request.bound)
        self._response.write(result.bytes())
        written = result.rows_written()
        self._response.finish(_summary(written, result.bytes_written()) if written else None)

    @contextmanager
    def _watch(self, keyword: str) -> Iterator[None]:
        """With cancel_http_readonly_queries_on_client_close: stops the query of a client gone."""
        if not self._request.watch_client or keyword not in READING:
            yield
            return
        done = threading.Event()
        thread = threading.Thread(target=self._cancel_when_closed, args=(done,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _cancel_when_closed(self, done: threading.Event) -> None:
        while not done.wait(0.1):
            readable, _, _ = select.select([self._client], [], [], 0)
            if not readable:
                continue
            try:
                if self._client.recv(1, socket.MSG_PEEK):
                    return  # the next request is waiting: no way to tell any more
            except OSError:
                pass
            self._engine.cancel(self._request.query_id)
            return


def _literal(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _summary(rows: int, size: int) -> str:
    counts = {"written_rows": str(rows), "written_bytes": str(size)}
    return json.dumps(counts, separators=(",", ":"))


def _quietly(call: Any) -> None:
    """Runs a clean-up whose own error must not hide the one that led to it."""
    try:
        call()
    except Exception:
        pass
