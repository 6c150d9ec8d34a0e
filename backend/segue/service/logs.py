"""What the service says while it runs: a line of JSON each, or a short one for people on a terminal, on stderr."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TextIO

FIELDS = ("job", "client", "code")
"""What a log record may carry beside its message, given as ``extra``."""


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, part, message, and of :data:`FIELDS` those given."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{when}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "part": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class Plain(logging.Formatter):
    """Time, message and fields; the trace of a defect below."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = "".join(f"  {name}={value}" for name, value in _fields(record).items())
        level = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
        line = f"{time.strftime('%H:%M:%S', time.localtime(record.created))}  {level}{record.getMessage()}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in FIELDS if getattr(record, name, None) is not None}


def configure(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Send all of Segue's logs to ``stream`` (stderr): plain on a terminal, else JSON."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Plain() if stream.isatty() else JsonLines())
    for name in ("segue", "segue_protocol"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level)
        logger.propagate = False
