"""An SQLite file of a test's own, used as the throw-away servers are."""

import sqlite3
import tempfile
from datetime import datetime, timezone
from pathlib import Path


def why_not():
    """There always can be one."""


def concat(*values):
    return None if None in values else "".join(map(str, values))


class SqliteFile:
    """Use as a context."""

    PASSWORD = ""  # A file has none.

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="hw_sqlite_")
        self.path = Path(self.folder.name) / "source.db"
        self.file = sqlite3.connect(self.path, isolation_level=None)
        self.file.create_function("concat", -1, concat)  # Both of which other servers have.
        self.file.create_function("now", 0, lambda: datetime.now(timezone.utc).strftime(
            "%Y-%m-%d %H:%M:%S"))
        return self

    def __exit__(self, *_):
        self.file.close()
        self.folder.cleanup()

    def sql(self, _database, text):
        """Runs statements, and returns the rows of the last one, a line each."""
        statement, rows = "", []
        for part in text.split(";"):
            statement += part + ";"
            if sqlite3.complete_statement(statement):
                rows = self.file.execute(statement).fetchall()
                statement = ""
        return "".join("\t".join(map(str, row)) + "\n" for row in rows)

    def url(self):
        return f"odbc:Driver=SQLite3;Database={self.path}"
