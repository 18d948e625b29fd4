"""The contracts of tables and the values of policies, as the repository has them, and how they reach DuckDB."""

import datetime
import decimal
import pathlib
import tomllib

import duckdb

SCHEMAS = pathlib.Path(__file__).resolve().parent.parent.parent / "schemas"
TYPES = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "word": "VARCHAR",
    "list": "VARCHAR[]",
    "date": "DATE",
    "time": "TIMESTAMP",
    "bool": "BOOLEAN",
    "count": "BIGINT",
    "integer": "BIGINT",
    "money": "DECIMAL(18,2)",
    "share": "DOUBLE",
    "real": "DOUBLE",
}


def contracts(folder: str) -> list[dict]:
    return [tomllib.loads(path.read_text()) for path in sorted((SCHEMAS / "tables" / folder).glob("*.toml"))]


def sql_type_of(column: dict) -> str:
    return TYPES.get(column["type"], column["type"].upper())


def in_force(path: pathlib.Path, as_of: datetime.date) -> dict | None:
    """The version of a policy that holds on a day; numbers exactly as they are written."""
    policy = tomllib.loads(path.read_text(), parse_float=decimal.Decimal)
    versions = [
        version
        for version in policy["versions"]
        if version["valid_from"] <= as_of and ("valid_to" not in version or as_of < version["valid_to"])
    ]
    return versions[0] if versions else None


def versions_in_force(folder: pathlib.Path, as_of: datetime.date) -> dict[str, dict]:
    found = {path.stem: in_force(path, as_of) for path in sorted(folder.glob("*.toml"))}
    return {name: version for name, version in found.items() if version is not None}


def fill(engine: duckdb.DuckDBPyConnection, table: str, rows: list[tuple]) -> None:
    """Makes a table, given as its name and columns, with these rows."""
    engine.execute(f"CREATE TEMP TABLE {table}")
    if not rows:
        return
    name, row = table.split(" ", 1)[0], f"({', '.join('?' * len(rows[0]))})"
    # One statement: a statement for each row would take longer than some stages.
    values = [value for values in rows for value in values]
    engine.execute(f"INSERT INTO {name} VALUES {', '.join([row] * len(rows))}", values)
