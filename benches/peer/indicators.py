"""The catalogue of indicators, asked of the base tables: parts and statistics at every place, as SQL made from the
definitions. A base table is read once for all parts that are measured over it."""

import re

import duckdb

from schemas import SCHEMAS, contracts, fill, versions_in_force

BY_PART = {
    "ratio": lambda version: [version["numerator"], version["denominator"]],
    "amount": lambda version: [version["numerator"]],
    "growth": lambda version: [version["now"], version["before"]],
    "growth_gap": lambda version: [
        version[side][time] for side in ["part", "whole"] for time in ["now", "before"]
    ],
}


def measure(engine: duckdb.DuckDBPyConnection, as_of, found: set[str]) -> None:
    """Fills `policy_indicator`, `policy_part`, `policy_component`, `part_value` and `statistic`."""
    catalogue = versions_in_force(SCHEMAS / "policies" / "indicators", as_of)
    load_definitions(engine, catalogue)
    columns = base_columns()
    absent = {contract["table"] for contract in contracts("input")} - found
    measure_parts(engine, catalogue, columns, absent)
    measure_statistics(engine, catalogue, columns, absent)


def load_definitions(engine: duckdb.DuckDBPyConnection, catalogue: dict[str, dict]) -> None:
    year = engine.execute("SELECT getvariable('first_programme_year')").fetchone()[0]
    rows, components = [], []
    for number, (name, version) in enumerate(catalogue.items()):
        # A factor is an exact decimal: whole numbers above and below.
        above, below = version.get("factor", 1).as_integer_ratio()
        rows.append(
            (
                number,
                name,
                version["version"],
                version["kind"],
                above,
                below,
                version["unit"],
                version["direction"],
                target_of(version, year),
                "|".join(version["levels"]),
                bool(version.get("breakdowns")),
            )
        )
        components += [
            (number, place, part["indicator"], *(float(part[key]) for key in ["weight", "worst", "best"]))
            for place, part in enumerate(version.get("components", []))
        ]
    fill(
        engine,
        "policy_indicator (indicator_no INTEGER, indicator_id VARCHAR, version VARCHAR, kind VARCHAR, "
        "factor_above HUGEINT, factor_below HUGEINT, unit VARCHAR, direction VARCHAR, target DOUBLE, levels VARCHAR, "
        "by_segment BOOLEAN)",
        rows,
    )
    fill(
        engine,
        "policy_component (indicator_no INTEGER, place INTEGER, component VARCHAR, weight DOUBLE, worst DOUBLE, "
        "best DOUBLE)",
        components,
    )


def target_of(version: dict, year: int) -> float | None:
    target = version.get("target", {})
    if "value" in target:
        return float(target["value"])
    by_year = target.get("by_programme_year", [])
    return float(by_year[min(year, len(by_year)) - 1]) if by_year and year > 0 else None


def base_columns() -> dict[str, dict[str, dict]]:
    """By base table its columns: those of its contract, and those that it takes over from an output table."""
    tables = {
        contract["table"]: {column["name"]: column for column in contract["columns"]} for contract in contracts("base")
    }
    outputs = {contract["table"]: contract["columns"] for contract in contracts("output")}
    for table, output in [("households", "household_facts"), ("grids", "grid_coverage")]:
        for column in outputs[output]:
            tables[table].setdefault(column["name"], column)
    return tables


def sources(part: dict, columns: dict[str, dict[str, dict]]) -> set[str]:
    """The input tables without which there is no such number."""
    read = {part.get("of"), *re.findall(r"[a-z_][a-z_0-9]*", re.sub(r"'[^']*'", "", part.get("where", "")))}
    own = {"service_points"} if part["table"] == "service_points" else set()
    of_table = columns[part["table"]]
    return own.union(*(of_table[name].get("fact", {}).get("tables", []) for name in read if name in of_table))


def scale_of(part: dict, columns: dict[str, dict[str, dict]]) -> int:
    """How many digits a column has after the point."""
    kind = columns[part["table"]][part["of"]]["type"]
    decimal = re.fullmatch(r"decimal\(\d+,(\d+)\)", kind)
    return int(decimal[1]) if decimal else 2 if kind == "money" else 0


# Parts: numerators and denominators.


def measure_parts(
    engine: duckdb.DuckDBPyConnection, catalogue: dict[str, dict], columns: dict[str, dict[str, dict]], absent: set[str]
) -> None:
    numbers, rows = {}, []
    for indicator_no, version in enumerate(catalogue.values()):
        for position, part in enumerate(BY_PART.get(version["kind"], lambda version: [])(version)):
            is_own = position == 1 and version.get("aggregation") == "own"
            is_sum = part["measure"] == "sum"
            key = (part["table"], part["measure"], part.get("of"), part.get("where", "true"), is_own)
            part_no = numbers.setdefault(key, len(numbers))
            is_absent = not absent.isdisjoint(sources(part, columns))
            scale = scale_of(part, columns) if is_sum else 0
            rows.append((indicator_no, position, part_no, scale, is_own, is_absent))
    fill(
        engine,
        "policy_part (indicator_no INTEGER, position INTEGER, part_no INTEGER, scale INTEGER, is_own BOOLEAN, "
        "is_absent BOOLEAN)",
        rows,
    )
    scales = {part_no: scale for _, _, part_no, scale, _, _ in rows}
    for table in dict.fromkeys(key[0] for key in numbers):
        of_table = [(key, part_no) for key, part_no in numbers.items() if key[0] == table]
        summed = [f"{measured(key, scales[part_no])} AS part_{part_no}" for key, part_no in of_table if not key[4]]
        if summed:
            # At the finest key first; then every place adds up a few hundred rows and not the table's.
            has_segment = "segment" in columns[table]
            segment = "segment, " if has_segment else ""
            engine.execute(
                f"CREATE OR REPLACE TEMP TABLE cell AS SELECT branch_no, area_no, {segment}{', '.join(summed)} "
                f"FROM base_{table} GROUP BY {segment}branch_no, area_no"
            )
            segment = "coalesce(segment, 'all')" if has_segment else "'all'"
            places = "GROUPING SETS ((place_no, segment), (place_no))" if has_segment else "place_no"
            engine.execute(
                f"INSERT INTO part_value SELECT part[6:]::INTEGER, place_no, segment, units FROM ("
                f"SELECT place_no, {segment} AS segment, sum(COLUMNS('^part_')) FROM at_every_place('cell') "
                f"GROUP BY {places}) UNPIVOT (units FOR part IN (COLUMNS('^part_')))"
            )
        for (_, _, of, where, is_own), part_no in of_table:
            if is_own:
                # An area's own figure; of the bank the known ones of areas without a parent.
                figure = f"CASE WHEN {where} THEN {in_units(of, scales[part_no])} ELSE 0 END"
                engine.execute(
                    f"INSERT INTO part_value SELECT {part_no}, area_no, 'all', {figure} FROM base_{table} "
                    f"UNION ALL SELECT {part_no}, getvariable('bank_no'), 'all', sum({figure}) FROM base_{table} "
                    f"WHERE is_top"
                )


def measured(key: tuple, scale: int) -> str:
    _, measure, of, where, _ = key
    if measure == "count":
        return f"count(*) FILTER ({where})::HUGEINT"
    if measure == "sum":
        return f"coalesce({in_units(f'sum({of}) FILTER ({where})', scale)}, 0)"
    if of == "customer":
        # A customer has one place, so that places add up.
        return f"count(DISTINCT customer) FILTER ({where})::HUGEINT"
    raise SystemExit(f"no definition has asked for a union of `{of}` yet")


def in_units(amount: str, scale: int) -> str:
    return f"({amount} * {10**scale}::DECIMAL(38, 0))::HUGEINT" if scale else f"({amount})::HUGEINT"


# Statistics over all values of a place.


def measure_statistics(
    engine: duckdb.DuckDBPyConnection, catalogue: dict[str, dict], columns: dict[str, dict[str, dict]], absent: set[str]
) -> None:
    asked = {}
    for number, version in enumerate(catalogue.values()):
        observations = version.get("observations")
        if observations and absent.isdisjoint(sources(observations, columns)):
            key = (observations["table"], observations["of"], observations.get("where", "true"))
            asked.setdefault(key, []).append((number, version))
    for (table, of, where), indicators in asked.items():
        kinds = {version["kind"] for _, version in indicators}
        engine.execute(
            f"CREATE OR REPLACE TEMP TABLE observed AS SELECT branch_no, area_no, {of} AS value "
            f"FROM base_{table} WHERE ({where}) AND {of} IS NOT NULL"
        )
        if "quantile" in kinds:
            quantiles = ", ".join(
                f"{{'indicator_no': {number}, 'value': quantile_disc(value, {version['rank']})::DOUBLE}}"
                for number, version in indicators
                if version["kind"] == "quantile"
            )
            engine.execute(
                f"INSERT INTO statistic SELECT of_place.indicator_no, place_no, values_counted, of_place.value FROM ("
                f"SELECT place_no, count(*) AS values_counted, unnest([{quantiles}]) AS of_place "
                f"FROM at_every_place('observed') GROUP BY place_no)"
            )
        if kinds & {"gini", "theil", "theil_between"}:
            scale = scale_of({"table": table, "of": of}, columns)
            engine.execute(f"SET VARIABLE units_of_value = {10**scale}")
            for kind in ["gini", "theil", "theil_between"]:
                for number, version in indicators:
                    if version["kind"] == kind:
                        engine.execute(
                            f"INSERT INTO statistic SELECT {number}, place_no, values_counted, {kind} "
                            f"FROM {kind}_of('observed')"
                        )
