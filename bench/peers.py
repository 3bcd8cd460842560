"""The programs that loads are compared with. `./dev bench --peers` installs all but DuckDB."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".venv-peers" / "bin" / "python"
ODBC2PARQUET = ROOT / ".cache" / "peers" / "bin" / "odbc2parquet"

DUCKDB = """
import os, sys
import duckdb, duckdb_extension_postgres_scanner
out, dsn = sys.argv[1:]
folder = os.path.dirname(duckdb_extension_postgres_scanner.__file__)
db = duckdb.connect()
db.load_extension(
    f"{folder}/extensions/v{duckdb.__version__}/postgres_scanner.duckdb_extension")
db.execute("set threads = 2")
db.execute(f"attach '{dsn}' as source (type postgres, read_only)")
db.execute(f"copy source.public.deals to '{out}' (format parquet, compression zstd)")
"""
CONNECTORX = """
import sys
import connectorx, pyarrow.parquet
out, url = sys.argv[1:]
table = connectorx.read_sql(url, "select * from deals", return_type="arrow",
                            partition_on="deal_id", partition_num=2)
pyarrow.parquet.write_table(table, out, compression="zstd")
"""
DLT = """
import sys
import dlt
from dlt.sources.sql_database import sql_table
out, url = sys.argv[1:]
source = sql_table(url, table="deals", backend="connectorx", chunk_size=100_000)
pipeline = dlt.pipeline("deals", destination=dlt.destinations.filesystem(bucket_url="file://" + out),
                        dataset_name="d", dev_mode=True)
print(pipeline.run(source, loader_file_format="parquet"))
"""


def wanted():
    """Whether peers that ./dev bench --peers installs are to be measured."""
    return os.environ.get("HEADWATER_PEERS") == "1"


def why_not_duckdb():
    try:
        import duckdb_extension_postgres_scanner  # noqa: F401
    except ImportError:
        return ("DuckDB is not measured: its scanner is not installed "
                "(./dev setup installs requirements.txt)")
    return None


def why_not(name):
    """Why dlt, connectorx or odbc2parquet is not measured, or None."""
    if not wanted():
        return f"{name} is not measured: ./dev bench --peers installs it"
    installed = ODBC2PARQUET.exists() if name == "odbc2parquet" else PYTHON.exists()
    return None if installed else f"{name} is not measured: it is not installed here"


def duckdb_command(out, dsn):
    return [sys.executable, "-c", DUCKDB, str(out), dsn]


def python_command(program, out, url):
    return [str(PYTHON), "-c", program, str(out), url]


def odbc2parquet_command(out, connection_string, query):
    return [str(ODBC2PARQUET), "query", "--connection-string", connection_string, str(out), query]


def versions():
    """Of those that are installed, in one line."""
    found = []
    if PYTHON.exists():
        found.append(subprocess.run(
            [str(PYTHON), "-c", "from importlib.metadata import version; print(', '.join("
             "f'{name} {version(name)}' for name in ('dlt', 'connectorx', 'pyarrow')))"],
            text=True, capture_output=True, check=False).stdout.strip())
    if ODBC2PARQUET.exists():
        found.append(subprocess.run([str(ODBC2PARQUET), "--version"], text=True,
                                    capture_output=True, check=False).stdout.strip())
    return ", ".join(found)
