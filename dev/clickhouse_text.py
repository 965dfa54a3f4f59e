"""What can be said about a query, a result or an error by looking at its text alone.

Pure functions: no engine, no socket. `clickhouse_endpoint.py` decides by them which way a query
goes, and what its answer looks like over HTTP.
"""

from __future__ import annotations

import re
from typing import Iterator, NamedTuple, Optional

# Blanks and comments first: they are dropped. Strings, quoted names and heredocs are whole tokens,
# so that a keyword within them is never taken for one.
_TOKEN = re.compile(
    rb"""(?P<blank>\s+|--[^\n]*|\#[ !][^\n]*|/\*.*?(?:\*/|\Z))"""
    rb"""|'(?:\\.|''|[^'\\])*'|`(?:\\.|``|[^`\\])*`|"(?:\\.|""|[^"\\])*"|\$(\w*)\$.*?\$\2\$"""
    rb"""|(?P<word>[A-Za-z_]\w*)|[0-9]\w*|.""",
    re.DOTALL,
)


class Token(NamedTuple):
    """One token; `word` is its upper-case spelling if it is a bare word, else empty."""

    start: int
    end: int
    word: bytes
    depth: int


def tokens(text: bytes) -> Iterator[Token]:
    """Lazily, so that the data behind an INSERT is never scanned."""
    depth = 0
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "blank":
            continue
        piece = match.group()
        if piece in (b")", b"]", b"}"):
            depth -= 1
        word = piece.upper() if match.lastgroup == "word" else b""
        yield Token(match.start(), match.end(), word, depth)
        if piece in (b"(", b"[", b"{"):
            depth += 1


def first_word(text: bytes) -> str:
    """The keyword a statement begins with; a leading parenthesis belongs to a SELECT."""
    for token in tokens(text):
        return token.word.decode() or ("SELECT" if text[token.start : token.end] == b"(" else "")
    return ""


class Insert(NamedTuple):
    """`INSERT INTO t (a, b)`, the format of its data, and where in the text the data begins."""

    sql: str
    format: str
    data_start: int


def split_insert(text: bytes) -> Optional[Insert]:
    """Splits `INSERT ... FORMAT name <data>`; None for every other statement.

    The data begins where ClickHouse's parser lets it begin (ParserInsertQuery.cpp): behind the
    blanks after the name, and behind one line break if there is one.
    """
    format_at = -1
    for index, token in enumerate(tokens(text)):
        if index == 0 and token.word != b"INSERT":
            return None
        if format_at >= 0:
            if not token.word:
                return None
            data = re.compile(rb"[ \t\f]*\r?\n?").match(text, token.end)
            name = text[token.start : token.end].decode()
            return Insert(text[:format_at].decode(), name, data.end() if data else token.end)
        if token.depth == 0 and token.word in (b"VALUES", b"SELECT", b"WITH", b"FROM"):
            return None
        if token.depth == 0 and token.word == b"FORMAT":
            format_at = token.start
    return None


def named_format(text: bytes) -> Optional[str]:
    """The format of the last top-level `FORMAT name`, which overrides the request's own."""
    name, after_format = None, False
    for token in tokens(text):
        if after_format and token.word:
            name = text[token.start : token.end].decode()
        after_format = token.depth == 0 and token.word == b"FORMAT"
    return name


def reads_input(text: bytes) -> bool:
    """`INSERT ... SELECT ... FROM input(...)`: the engine would take it, and insert nothing."""
    after_input = False
    for token in tokens(text):
        if after_input and text[token.start : token.end] == b"(":
            return True
        after_input = token.word == b"INPUT"
    return False


def has_second_statement(text: bytes) -> bool:
    """The engine would run `SELECT 1; SELECT 2`; a server refuses it over HTTP."""
    ended = False
    for token in tokens(text):
        if ended and text[token.start : token.end] != b";":
            return True
        ended = ended or (token.depth == 0 and text[token.start : token.end] == b";")
    return False


# A query id cannot be set from outside the engine, so each query carries it in a leading comment.
_TAGGABLE = re.compile(r"[\w.:-]{1,200}")
_ID_OF_TAG = rb"extract(query, '^/\\* query_id:(\\S+) \\*/')"


def tag(query_id: str) -> str:
    """The comment that makes a query findable; empty for an id that would end the comment."""
    return f"/* query_id:{query_id} */ " if _TAGGABLE.fullmatch(query_id) else ""


def aim_at_tag(text: bytes) -> bytes:
    """Makes `query_id` mean the tag, in KILL QUERY and in questions to system.processes."""
    if first_word(text) != "KILL" and b"system.processes" not in text.lower():
        return text
    parts, copied = [], 0
    for token in tokens(text):
        if token.word == b"QUERY_ID":
            parts += [text[copied : token.start], _ID_OF_TAG]
            copied = token.end
    return b"".join(parts) + text[copied:]


# The engine formats every block of a streamed result as a document of its own. These formats can
# be joined again: they have no header, or one whose length can be told (0, 1 or 2 lines).
_PLAIN = ("tabseparated", "tsv", "tabseparatedraw", "tsvraw", "csv", "rowbinary")
_JSON_ROWS = ("jsoncompacteachrow", "jsoncompactstringseachrow")
_HEADERS: dict[str, int] = {
    "native": 0, "jsoneachrow": 0, "jsonlines": 0, "ndjson": 0, "jsonstringseachrow": 0,
    **{name: 0 for name in _PLAIN + _JSON_ROWS},
    **{name + "withnames": 1 for name in _PLAIN + _JSON_ROWS},
    **{name + "withnamesandtypes": 2 for name in _PLAIN + _JSON_ROWS},
}  # fmt: skip
_WHOLE_ONLY = re.compile(rb"\b(WITH\s+TOTALS|extremes|output_format_json_array_of_rows)\b", re.I)
_CSV_LINE = re.compile(rb'(?:"(?:[^"]|"")*"|[^"\n])*\n')


def streamable(name: str, text: bytes) -> bool:
    """Whether blocks in this format can be sent as they come. Totals and extremes cannot."""
    return name.lower() in _HEADERS and not _WHOLE_ONLY.search(text)


def has_header(name: str) -> bool:
    """Whether even an empty result has bytes in this format."""
    return _HEADERS[name.lower()] > 0


def header_length(name: str, block: bytes) -> int:
    """How many bytes at the start of a block repeat the names and types of the columns."""
    lines, key = _HEADERS[name.lower()], name.lower()
    if lines == 0:
        return 0
    if key.startswith("rowbinary"):
        return _row_binary_header_length(block, lines)
    end = 0
    for _ in range(lines):
        match = _CSV_LINE.match(block, end) if key.startswith("csv") else None
        end = match.end() if match else block.index(b"\n", end) + 1
    return end


def _row_binary_header_length(block: bytes, lists: int) -> int:
    columns, at = _varint(block, 0)
    for _ in range(columns * lists):
        length, at = _varint(block, at)
        at += length
    return at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            return value, at
        shift += 7


def content_type(name: str) -> str:
    """The Content-Type a server sends for a format."""
    key = name.lower()
    if key in ("jsoneachrow", "jsonlines", "ndjson", "jsonstringseachrow") or "eachrow" in key:
        return "application/x-ndjson; charset=UTF-8"
    if key.startswith("json"):
        return "application/json; charset=UTF-8"
    if key.startswith(("tabseparated", "tsv")):
        return "text/tab-separated-values; charset=UTF-8"
    if key.startswith("csv"):
        header = "present" if "withnames" in key else "absent"
        return f"text/csv; charset=UTF-8; header={header}"
    if key.startswith(("rowbinary", "native", "parquet", "arrow")):
        return "application/octet-stream"
    return "text/plain; charset=UTF-8"


class ClickHouseError(Exception):
    """An error as a server reports it: `Code: N. DB::Exception: text. (NAME) (version V)`."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @classmethod
    def raised_here(cls, code: int, name: str, text: str) -> ClickHouseError:
        """An error that a server's HTTP layer raises, and the engine therefore cannot."""
        return cls(code, f"Code: {code}. DB::Exception: {text} ({name})")

    @classmethod
    def from_engine(cls, error: Exception, tag: str = "") -> ClickHouseError:
        """Reads code and text out of the engine's exception, whose wrappers add prefixes.

        Positions are given as in the client's own text, to which the tag does not belong.
        """
        text = str(error)
        found = re.search(r"Code: (\d+)\.", text)
        if not found:
            return cls.raised_here(1002, "UNKNOWN_EXCEPTION", text)

        def moved(match: re.Match[str]) -> str:
            return f"failed at position {max(int(match.group(1)) - len(tag), 1)}"

        text = re.sub(r"failed at position (\d+)", moved, text[found.start() :], count=1)
        return cls(int(found.group(1)), text)

    @property
    def status(self) -> int:
        """The HTTP status, as src/Server/HTTP/exceptionCodeToHTTPStatus.cpp maps it."""
        return next((status for status, codes in _STATUS.items() if self.code in codes), 500)


_STATUS: dict[int, frozenset[int]] = {
    400: frozenset({6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223,
                    321, 376, 427, 441, 675, 676}),
    401: frozenset({194}),
    403: frozenset({192, 193, 497, 512, 516}),
    404: frozenset({46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511}),
    408: frozenset({159}),
    411: frozenset({381}),
    413: frozenset({229}),
    415: frozenset({779}),
    501: frozenset({48}),
    503: frozenset({76, 209, 439}),
}  # fmt: skip
