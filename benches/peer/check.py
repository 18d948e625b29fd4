"""The check of every input row, as SQL made from the contracts: which rows are accepted, set aside, or not yet known.

Nulls and bounds of a large table are asked of its columns first: where the file's statistics settle them, DuckDB reads
no row for that. A table is scanned once for what else a row says by itself and for what it refers to, and the columns of
its key once more. A table to which others refer is kept as its identifiers with what became of their rows, so that a
reference is one join. What is referred to comes first.
"""

import duckdb

# A row group: fewer rows are looked at sooner than their statistics are asked.
FEW_ROWS = 122_880


def check(engine: duckdb.DuckDBPyConnection, contracts: list[dict], found: set[str]) -> None:
    """Fills `row_count`. Ends the night where a row is faulty: the later stages trust the rows that they read."""
    columns = [column for contract in contracts for column in contract["columns"]]
    referenced = {column["references"] for column in columns if "references" in column}
    level_of = {column["references"]: column["higher_level"] for column in columns if "higher_level" in column}
    for contract in sorted(contracts, key=lambda contract: contract["order"]):
        table, (first_key, *other_keys) = contract["table"], contract["key"]
        if table not in found:
            continue
        for column in contract["columns"]:
            if "words" in column:
                words = ", ".join(map(literal, column["words"]))
                engine.execute(f"CREATE TEMP TYPE {words_of(table, column)} AS ENUM ({words})")
        if table in referenced:
            wanted = [*contract["key"], *(column["name"] for column in contract["columns"] if column.get("parent"))]
            wanted += [level_of[table]] if table in level_of else []
            judged = rows_with_state(contract, wanted, level_of, is_within_bounds(engine, contract))
            engine.execute(f"CREATE TEMP TABLE checked_{table} AS {judged}")
            judged = f"FROM checked_{table}"
            if other_keys:
                # Of several rows with one identifier an accepted one is enough for those who refer to it.
                engine.execute(
                    f"CREATE TEMP TABLE known_{table} AS "
                    f"SELECT {first_key} AS id, min(state) AS state, count(*) AS rows "
                    f"FROM checked_{table} GROUP BY {first_key}"
                )
            else:
                engine.execute(f"CREATE TEMP VIEW known_{table} AS SELECT {first_key} AS id, * FROM checked_{table}")
        else:
            judged = rows_with_state(contract, contract["key"], level_of, is_within_bounds(engine, contract))
        engine.execute(f"INSERT INTO row_count SELECT '{table}', state, count(*) FROM ({judged}) GROUP BY state")
        check_keys(engine, contract, f"checked_{table}" if table in referenced else table, judged)
        for column in contract["columns"]:
            if column.get("parent"):
                check_parents(engine, contract, column)
        if "validity_of" in contract:
            check_validity(engine, contract)
    refuse(engine)


# What a row says by itself, and what it refers to.


def is_within_bounds(engine: duckdb.DuckDBPyConnection, contract: dict) -> bool:
    """Whether it is settled that no required value is missing and none is out of its bounds, in any row."""
    if engine.execute(f"SELECT count(*) FROM {contract['table']}").fetchone()[0] < FEW_ROWS:
        return False
    required = [column for column in contract["columns"] if not column.get("nullable")]
    # A comparison with null is unknown and not false, so that a column that may be null is asked by itself.
    alone = [out_of_bounds(column) for column in contract["columns"] if column.get("nullable")]
    groups = [[*map(is_missing, required), *(test for column in required for test in out_of_bounds(column))], *alone]
    faulty = " UNION ALL ".join(
        f"SELECT 1 FROM {contract['table']} WHERE {' OR '.join(tests)}" for tests in groups if tests
    )
    return engine.execute(f"SELECT count(*) = 0 FROM ({faulty})").fetchone()[0]


def rows_with_state(contract: dict, wanted: list[str], level_of: dict[str, str], is_within: bool) -> str:
    """Every row with the wanted columns and its state; keys, parents and validity are left to others."""
    references = [
        column for column in contract["columns"] if "references" in column and not column.get("parent")
    ]
    names = list(dict.fromkeys([*wanted, *(column["name"] for column in references)]))
    state = own_state(contract, is_within)
    own = f"SELECT {', '.join(map(quoted, names))}, {state} AS own_state FROM {contract['table']}"
    if not references:
        return f"SELECT * RENAME (own_state AS state) FROM ({own})"
    unknown, broken, joins = ["own_state = state('not_yet_known')"], [], []
    for position, column in enumerate(references):
        name, there = f"own.{quoted(column['name'])}", f"referred_{position}"
        joins.append(f"LEFT JOIN known_{column['references']} AS {there} ON {there}.id = {name}")
        unknown.append(f"{there}.state = state('not_yet_known')")
        broken.append(f"({name} IS NOT NULL AND {there}.state IS DISTINCT FROM state('accepted'))")
        if "area_levels" in column:
            levels = ", ".join(map(literal, column["area_levels"]))
            broken.append(f"{there}.{level_of[column['references']]} NOT IN ({levels})")
    wanted_columns = "".join(f"own.{quoted(name)}, " for name in wanted)
    return (
        f"SELECT {wanted_columns}CASE WHEN {' OR '.join(unknown)} THEN state('not_yet_known') "
        f"WHEN own_state <> state('accepted') THEN own_state "
        f"WHEN {' OR '.join(broken)} THEN state('reference') ELSE state('accepted') END AS state "
        f"FROM ({own}) AS own {' '.join(joins)}"
    )


def own_state(contract: dict, is_within: bool) -> str:
    """The first rule that a row breaks by itself; a row that is not yet known breaks none. Nulls and bounds are not
    asked again where all rows are within them."""
    columns = {column["name"]: column for column in contract["columns"]}
    unknown = []
    if "known_from" in contract:
        name = contract["known_from"]
        # A month that counts from its last day is told by its first.
        day = f"last_day({name})" if contract.get("known_at") == "month_end" else name
        unknown.append(f"NOT is_known({day})")
    if "recorded_at" in contract:
        unknown.append(f"NOT is_known({contract['recorded_at']})")
    broken = {
        "null": [is_missing(column) for column in columns.values() if not column.get("nullable") and not is_within],
        "word": [
            f"({quoted(name)} IS NOT NULL "
            f"AND TRY_CAST({quoted(name)} AS {words_of(contract['table'], column)}) IS NULL)"
            for name, column in columns.items()
            if "words" in column
        ],
        "range": [
            test
            for column in columns.values()
            for test in [*misshapen(column), *([] if is_within else out_of_bounds(column))]
        ],
        "date_order": [
            f"{order['column']} < {order['not_before']}" if "not_before" in order
            else f"{order['column']} <= {order['after']}"
            for order in contract.get("date_order", [])
        ],
    }
    broken = {"not_yet_known": unknown, **broken}
    # Nearly every row breaks none. That is seen by all tests at once, over whole vectors; which rule comes first is asked
    # of the others only.
    rules = {rule: " OR ".join(tests) for rule, tests in broken.items() if tests}
    if not rules:
        return "state('accepted')"
    first = " ".join(f"WHEN {tests} THEN state('{rule}')" for rule, tests in rules.items())
    return f"CASE WHEN {' OR '.join(rules.values())} THEN CASE {first} END ELSE state('accepted') END"


def is_missing(column: dict) -> str:
    return f"{quoted(column['name'])} IS NULL"


def out_of_bounds(column: dict) -> list[str]:
    name, kind = quoted(column["name"]), column["type"]
    tests = []
    if kind == "date":
        tests.append(f"NOT is_sound_day({name})")
    if kind == "time":
        tests.append(f"NOT is_sound_time({name})")
    if kind == "real" and not ("minimum" in column and "maximum" in column):
        tests.append(f"NOT isfinite({name})")
    if kind == "count" and "minimum" not in column and "more_than" not in column:
        tests.append(f"{name} < 0")
    bounds = {"minimum": "<", "maximum": ">", "more_than": "<="}
    return tests + [f"{name} {sign} {column[bound]}" for bound, sign in bounds.items() if bound in column]


def misshapen(column: dict) -> list[str]:
    """What belongs to the rule `range` and cannot be told from a column's least and greatest value."""
    name = quoted(column["name"])
    tests = []
    # What is found among sound identifiers is sound.
    if column["type"] == "id" and "references" not in column:
        tests.append(f"NOT is_sound_id({name})")
    # Writers leave what is no number out of a column's least and greatest value.
    if column["type"] == "real":
        tests.append(f"isnan({name})")
    if column.get("day") == "first_of_month":
        tests.append(f"day({name}) <> 1")
    if column.get("day") == "last_of_month":
        tests.append(f"{name} <> last_day({name})")
    # Of a pair each names the other: once is enough.
    if "together" in column and column["name"] > column["together"]:
        tests.append(f"({name} IS NULL) <> ({quoted(column['together'])} IS NULL)")
    return tests


# Rules across the rows of a table.


def check_keys(engine: duckdb.DuckDBPyConnection, contract: dict, source: str, judged: str) -> None:
    """No key twice. Rows that rise by their key have none, which is seen beside the row before; others are grouped."""
    keys = [quoted(name) for name in contract["key"]]
    rises = ""
    for position, key in reversed(list(enumerate(keys))):
        rises = f"({key} > before_{position}" + (f" OR ({key} = before_{position} AND {rises}))" if rises else ")")
    before = ", ".join(f"lag({key}) OVER () AS before_{position}" for position, key in enumerate(keys))
    in_order = engine.execute(
        f"SELECT coalesce(bool_and({rises}), true) FROM (SELECT {', '.join(keys)}, {before} FROM {source})"
    ).fetchone()[0]
    if not in_order:
        engine.execute(
            f"INSERT INTO row_count SELECT '{contract['table']}', state('duplicate_key'), times - 1 FROM ("
            f"SELECT count(*) AS times FROM ({judged}) WHERE state = state('accepted') GROUP BY {', '.join(keys)} "
            f"HAVING times > 1)"
        )


def check_parents(engine: duckdb.DuckDBPyConnection, contract: dict, column: dict) -> None:
    """Sound are the rows that a walk down from those without a parent reaches, always to a lower level."""
    table, key, parent = contract["table"], contract["key"][0], column["name"]
    is_lower = "true"
    if "higher_level" in column:
        level, equal = column["higher_level"], column.get("equal_levels", [])
        words = next(other["words"] for other in contract["columns"] if other["name"] == level)
        ranks = [words.index(equal[0]) if word in equal else position for position, word in enumerate(words)]
        rank_of = "list_extract({}, list_position({}, {}.{}))".format
        is_lower = " < ".join(rank_of(ranks, words, side, level) for side in ["above", "below"])
    engine.execute(
        f"INSERT INTO row_count WITH RECURSIVE reached AS ("
        f"FROM checked_{table} WHERE {parent} IS NULL AND state = state('accepted') "
        f"UNION ALL SELECT below.* FROM checked_{table} AS below JOIN reached AS above ON above.{key} = below.{parent} "
        f"WHERE below.state = state('accepted') AND {is_lower}) "
        f"SELECT '{table}', state('reference'), rows FROM ("
        f"SELECT (SELECT count(*) FROM checked_{table} WHERE state = state('accepted')) - count(*) AS rows "
        f"FROM reached) WHERE rows > 0"
    )


def check_validity(engine: duckdb.DuckDBPyConnection, contract: dict) -> None:
    """Of what has several rows none begins before the one before it ends."""
    table, key = contract["table"], contract["validity_of"]
    engine.execute(
        f"INSERT INTO row_count SELECT '{table}', state('overlapping_validity'), count(*) AS rows FROM ("
        f"SELECT valid_to, lead(valid_from) OVER (PARTITION BY {key} ORDER BY valid_from) AS next_from "
        f"FROM {table} SEMI JOIN (FROM known_{table} WHERE rows > 1) ON id = {key}) "
        f"WHERE next_from < coalesce(valid_to, DATE 'infinity') HAVING rows > 0"
    )


def refuse(engine: duckdb.DuckDBPyConnection) -> None:
    faulty = engine.execute(
        "SELECT table_name, getvariable('states')[state + 1] AS rule, sum(rows)::BIGINT FROM row_count "
        "WHERE state > state('not_yet_known') GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    if faulty:
        rows = "; ".join(f"{table}: {rows} by the rule `{rule}`" for table, rule, rows in faulty)
        raise SystemExit(f"rows are set aside, and the later stages trust every row: {rows}")


def words_of(table: str, column: dict) -> str:
    return f"words_of_{table}_{column['name']}"


def quoted(name: str) -> str:
    return f'"{name}"'


def literal(text: str) -> str:
    return "'{}'".format(text.replace("'", "''"))
