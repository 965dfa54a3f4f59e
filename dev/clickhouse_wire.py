"""Bodies on the wire: requests in (chunked, gzip), responses out (chunked, gzip, held back).

Python's http.server reads and writes headers; what follows them is up to its user.
"""

from __future__ import annotations

import secrets
import string
import tempfile
import zlib
from http.server import BaseHTTPRequestHandler
from typing import IO, Optional

from clickhouse_text import ClickHouseError

READ_SIZE = 1 << 18
HELD_BACK = 1 << 20
_TAG_LENGTH = 16
_MAX_EXCEPTION_SIZE = 16 * 1024
_BLOCK_OVERHEAD = 2 + 13 + 2 + _TAG_LENGTH + 2 + 8 + 1 + _TAG_LENGTH + 2 + 13 + 2


class BrokenBody(Exception):
    """The client went away, or sent something that is not a body, before the body's end."""


class RequestBody:
    """A request's body, decoded while it is read: nothing is kept."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        headers = handler.headers
        self._source = handler.rfile
        self._chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
        self._left = 0 if self._chunked else int(headers.get("Content-Length") or 0)
        self._ended = not self._chunked and self._left == 0
        self._encoding = headers.get("Content-Encoding", "identity").strip().lower()
        self._inflater = zlib.decompressobj(31) if self._encoding == "gzip" else None

    def check_encoding(self) -> None:
        """Refuses what cannot be decoded here, before a byte of it is read."""
        if self._encoding not in ("", "identity", "gzip"):
            text = f"Unknown compression method: {self._encoding}"
            raise ClickHouseError.raised_here(48, "NOT_IMPLEMENTED", text)

    def read(self, size: int = READ_SIZE) -> bytes:
        """Some decoded bytes; empty only at the end. Raises BrokenBody if the end never came."""
        while True:
            if self._inflater is None:
                return self._read_raw(size)
            if self._inflater.unconsumed_tail:
                return self._inflate(self._inflater.unconsumed_tail, size)
            raw = self._read_raw(size)
            decoded = self._inflate(raw, size)  # even of nothing: output may be pending
            if decoded:
                return decoded
            if not raw:
                if not self._inflater.eof:
                    raise BrokenBody("the gzip stream ends too early")
                return b""

    def read_head(self, size: int) -> bytes:
        """As much as `size` bytes from the front, less only if the body is shorter."""
        pieces, missing = [], size
        while missing > 0:
            piece = self.read(min(missing, READ_SIZE))
            if not piece:
                break
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def drain(self) -> None:
        """Reads what is left undecoded, so that the connection can serve the next request."""
        while self._read_raw(READ_SIZE):
            pass

    def _inflate(self, raw: bytes, size: int) -> bytes:
        assert self._inflater is not None
        try:
            if self._inflater.eof and raw:  # a further gzip member
                self._inflater = zlib.decompressobj(31)
            decoded = self._inflater.decompress(raw, size * 4)
            rest = self._inflater.unused_data
            return decoded + self._inflate(rest, size) if rest else decoded
        except zlib.error as error:
            raise BrokenBody(f"not a gzip stream: {error}") from error

    def _read_raw(self, size: int) -> bytes:
        if self._ended:
            return b""
        if self._chunked and self._left == 0 and not self._next_chunk():
            return b""
        data = self._source.read1(min(size, self._left))  # type: ignore[attr-defined]
        if not data:
            raise BrokenBody("the connection was closed in the middle of the body")
        self._left -= len(data)
        if self._left == 0:
            if self._chunked:
                self._line()
            else:
                self._ended = True
        return data

    def _next_chunk(self) -> bool:
        try:
            self._left = int(self._line().split(b";")[0], 16)
        except ValueError as error:
            raise BrokenBody("not a chunk header") from error
        if self._left > 0:
            return True
        while self._line():  # trailers
            pass
        self._ended = True
        return False

    def _line(self) -> bytes:
        line = self._source.readline(8192)
        if not line.endswith(b"\n"):
            raise BrokenBody("the connection was closed in the middle of the body")
        return line.strip()


class ResponseBody:
    """A result on its way out: held back at first, so that an early error still gets a status.

    A server holds back one buffer (1 MiB), and with `wait_end_of_query=1` everything. After that
    the status 200 is out, and an error can only be written into the body (see `fail`).
    """

    def __init__(
        self, handler: BaseHTTPRequestHandler, headers: dict[str, str], gzip: bool, whole: bool
    ) -> None:
        self._handler = handler
        self._headers = headers
        self._hold = None if whole else HELD_BACK
        # Memory up to HELD_BACK bytes, a file beyond them.
        self._held: IO[bytes] = tempfile.SpooledTemporaryFile(HELD_BACK + 1)
        self._held_size = 0
        self._chunked = handler.request_version != "HTTP/1.0"
        self._deflater = zlib.compressobj(3, zlib.DEFLATED, 31) if gzip else None
        self.exception_tag = "".join(secrets.choice(string.ascii_lowercase) for _ in range(16))
        self.committed = False

    def write(self, data: bytes) -> None:
        """Takes a piece of the result. Raises OSError when the client is gone."""
        if self.committed:
            self._send(data)
            return
        self._held.write(data)
        self._held_size += len(data)
        if self._hold is not None and self._held_size > self._hold:
            self._commit()

    def finish(self, summary: Optional[str] = None) -> None:
        """The whole result was written."""
        if summary:
            self._headers["X-ClickHouse-Summary"] = summary
        if not self.committed:
            self._commit()
        if self._deflater is not None:
            self._chunk(self._deflater.flush())
        if self._chunked:
            self._handler.wfile.write(b"0\r\n\r\n")

    def fail(self, error: ClickHouseError) -> None:
        """Ends the response with an error: as a status if that is still possible.

        Otherwise as WriteBufferFromHTTP1ServerResponse::cancelWithException does it: a block that
        the header X-ClickHouse-Exception-Tag told the client how to recognise, then no terminal
        chunk, so that a client which looks for neither cannot take the result for a whole one.
        """
        message = error.message.rstrip("\n") + "\n"
        if not self.committed:
            self._held.close()
            self._send_error(error, message.encode())
            return
        self._handler.close_connection = True
        text = message.encode()[: _MAX_EXCEPTION_SIZE - _BLOCK_OVERHEAD].rstrip(b"\n") + b"\n"
        tag = self.exception_tag.encode()
        self._send(
            b"\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n" % (tag, text, len(text), tag)
        )
        if self._deflater is not None:
            self._chunk(self._deflater.flush(zlib.Z_SYNC_FLUSH))

    def _send_error(self, error: ClickHouseError, body: bytes) -> None:
        self._headers["X-ClickHouse-Exception-Code"] = str(error.code)
        self._headers["Content-Type"] = "text/plain; charset=UTF-8"
        self._headers["Content-Length"] = str(len(body))
        if error.status == 401:
            self._headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
        self._send_headers(error.status)
        self._handler.wfile.write(body)

    def _send_headers(self, status: int) -> None:
        self._handler.send_response(status)
        for name, value in self._headers.items():
            self._handler.send_header(name, value)
        self._handler.send_header("X-ClickHouse-Exception-Tag", self.exception_tag)
        if self._handler.close_connection:
            self._handler.send_header("Connection", "close")
        self._handler.end_headers()

    def _commit(self) -> None:
        self.committed = True
        if self._deflater is not None and self._held_size:
            self._headers["Content-Encoding"] = "gzip"
        else:
            self._deflater = None
        if self._chunked:
            self._headers["Transfer-Encoding"] = "chunked"
        else:
            self._handler.close_connection = True
        self._send_headers(200)
        self._held.seek(0)
        while piece := self._held.read(HELD_BACK):
            self._send(piece)
        self._held.close()

    def _send(self, data: bytes) -> None:
        self._chunk(self._deflater.compress(data) if self._deflater is not None else data)

    def _chunk(self, data: bytes) -> None:
        if not data:
            return
        if self._chunked:
            self._handler.wfile.write(b"%X\r\n%s\r\n" % (len(data), data))
        else:
            self._handler.wfile.write(data)
