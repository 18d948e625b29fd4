#!/usr/bin/env python3
"""The same night, written for DuckDB: a peer to measure the program against. See README.md beside this file.

    night.py BANK --as-of 2026-06-30 --out FOLDER [--threads 2] [--compare PUBLISHED_RUN_FOLDER]

Prints one JSON object. Exit code 1: the tables differ from the published run (with --compare).
"""

import time

STARTED = time.perf_counter()

import argparse
import datetime
import decimal
import json
import pathlib
import sys
import tomllib
from collections.abc import Callable

import duckdb

import check
import indicators
from schemas import SCHEMAS, contracts, fill, in_force, sql_type_of, versions_in_force

HERE = pathlib.Path(__file__).resolve().parent
OUTPUTS = [
    "visit_checks", "household_facts", "scorecard_points", "household_grades", "grant_limits",
    "grid_coverage", "branch_coverage", "area_coverage", "partition_faults", "officer_assessments", "village_ratings",
    "conduct_ranking", "grid_funding", "work_list", "public_notice", "indicators",
]
# Columns that are not made: what disclosure decides.
LEFT_OUT = {"indicators": ["status", "published_value"]}
# Indicators whose value is no quotient of whole numbers: its last bits depend on the order of a sum or, of a distance,
# on a library's sine. Equal to a billionth.
TOLERANCE = 1e-9
NEARLY_EQUAL_KINDS = ["theil", "theil_between", "index"]
NEARLY_EQUAL_COLUMN = "nearest_point_m"


def main() -> int:
    parser = argparse.ArgumentParser(description="Rates a bank of Parquet files with DuckDB and prints how long it took.")
    parser.add_argument("bank", type=pathlib.Path)
    parser.add_argument("--as-of", type=datetime.date.fromisoformat, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compare", type=pathlib.Path, metavar="PUBLISHED_RUN_FOLDER")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    stages = {}
    begun = STARTED

    def done(stage: str) -> None:
        nonlocal begun
        now = time.perf_counter()
        stages[stage] = round(now - begun, 3)
        begun = now

    engine = duckdb.connect(config={"threads": options.threads})
    engine.execute("SET VARIABLE as_of = ?", [options.as_of])
    found = attach(engine, options.bank)
    load_rulebook(engine, options.as_of)
    done("start")
    for file in sorted(HERE.glob("[0-9]*.sql")):
        # A COPY takes its path as a literal.
        engine.execute(file.read_text().replace("{out}", str(options.out).replace("'", "''")))
        stage = file.stem.split("_", 1)[1]
        if stage == "check":
            check.check(engine, contracts("input"), found)
        if stage == "parts":
            indicators.measure(engine, options.as_of, found)
        done(stage)

    figures = {
        "engine": f"duckdb {duckdb.__version__}",
        "threads": options.threads,
        "households": engine.execute("SELECT count(*) FROM household").fetchone()[0],
        "seconds": round(time.perf_counter() - STARTED, 3),
        "stages": stages,
        "rows": row_counts(engine),
        "peak_memory_bytes": peak_memory_bytes(),
    }
    if options.compare:
        figures["differences"] = compare(options.out, options.compare, options.as_of)
        published = json.loads((options.compare / "manifest.json").read_text())["tables"]
        rows = figures["rows"]
        wrong = {table: [rows.get(table), published.get(table)] for table in sorted({*rows, *published})}
        wrong = {table: counts for table, counts in wrong.items() if counts[0] != counts[1]}
        if wrong:
            figures["differences"]["rows"] = wrong
            print(f"rows: {json.dumps(wrong)}", file=sys.stderr)
    print(json.dumps(figures))
    return 1 if figures.get("differences") else 0


def row_counts(engine: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    """By table what the manifest of a run tells; set aside are unsound decisions and nothing else."""
    rows = engine.execute("""
        SELECT table_name, sum(rows)::BIGINT, coalesce(sum(rows) FILTER (state = state('accepted')), 0)::BIGINT,
               coalesce(sum(rows) FILTER (state = state('not_yet_known')), 0)::BIGINT
        FROM row_count GROUP BY table_name ORDER BY table_name
    """).fetchall()
    unsound = engine.execute("SELECT count(*) FILTER (NOT is_sound) FROM checked_decision").fetchone()[0]
    counts = {}
    for table, read, accepted, not_yet_known in rows:
        set_aside = unsound if table == "decisions" else 0
        counts[table] = {
            "read": read, "accepted": accepted - set_aside, "set_aside": set_aside, "not_yet_known": not_yet_known
        }
    return counts


def peak_memory_bytes() -> int:
    """The greatest resident memory of this process so far, as the kernel counts it."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the kernel does not tell VmHWM")


# The bank's files.


def attach(engine: duckdb.DuckDBPyConnection, bank: pathlib.Path) -> set[str]:
    """One view for each input table, with the contract's columns and types; an optional table that is not there is empty.
    Returns which tables the bank has.

    A view is pruned to the columns and rows that a stage reads, so nothing is read here but the files' footers.
    """
    tables = set()
    for contract in contracts("input"):
        table = contract["table"]
        source = parquet(bank / table)
        if source is None and contract["required"]:
            raise SystemExit(f"{bank}: there is no {table}.parquet")
        found = {}
        if source is not None:
            found = {row[0]: row[1] for row in engine.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
        columns = []
        for column in contract["columns"]:
            name, sql_type = column["name"], sql_type_of(column)
            value = f'"{name}"' if name in found else "NULL"
            if found.get(name) != sql_type:
                value = f"CAST({value} AS {sql_type})"
            if name in found and sql_type == "VARCHAR" and column.get("nullable", False):
                # An empty text where none is required is none.
                value = f"nullif({value}, '')"
            columns.append(f'{value} AS "{name}"')
        rows = f"FROM {source}" if source is not None else "WHERE false"
        engine.execute(f"CREATE VIEW {table} AS SELECT {', '.join(columns)} {rows}")
        engine.execute(f"SET VARIABLE \"has.{table}\" = {str(source is not None).lower()}")
        if source is not None:
            tables.add(table)
    return tables


def parquet(path: pathlib.Path) -> str | None:
    """A table is one file or a folder of files."""
    if path.with_suffix(".parquet").exists():
        files = str(path.with_suffix(".parquet"))
    elif any(path.glob("*.parquet")):
        files = str(path / "*.parquet")
    else:
        return None
    return "read_parquet('{}')".format(files.replace("'", "''"))


# The rulebook. Every number of a policy comes from its file, exactly as it is written there, and reaches the SQL as the
# variable 'file.key' or as a row of a policy table.


def load_rulebook(engine: duckdb.DuckDBPyConnection, as_of: datetime.date) -> None:
    policies = SCHEMAS / "policies"
    for name in [
        "visit_checks", "fact_rules", "grade_scale", "limits", "partition", "credit_villages", "officers", "conduct",
        "work_list",
    ]:
        for key, value in in_force(policies / f"{name}.toml", as_of).items():
            if isinstance(value, (int, decimal.Decimal, str, datetime.time)):
                engine.execute(f"SET VARIABLE \"{name}.{key}\" = ?", [value])
    limits = in_force(policies / "limits.toml", as_of)
    engine.execute("SET VARIABLE \"limits.optional_caps\" = CAST(? AS VARCHAR[])", [limits["optional_caps"]])

    load_coverage(engine, lambda name: in_force(policies / f"{name}.toml", as_of))
    load_grades(engine, in_force(policies / "grade_scale.toml", as_of), limits)
    load_vetoes(engine, in_force(policies / "vetoes.toml", as_of))
    load_scorecards(engine, versions_in_force(policies / "scorecards", as_of))


def load_coverage(engine: duckdb.DuckDBPyConnection, policy: Callable[[str], dict]) -> None:
    years = policy("coverage_targets")["years"]
    fill(
        engine,
        "policy_target (segment VARCHAR, programme_year BIGINT, target DECIMAL(19,9))",
        [
            (segment, year["programme_year"], year[segment])
            for year in years
            for segment in ["rural", "resident", "business"]
        ],
    )
    fill(
        engine,
        "policy_grid_size (kind VARCHAR, at_least BIGINT, at_most BIGINT)",
        [(size["grid_kind"], size["at_least"], size["at_most"]) for size in policy("partition")["sizes"]],
    )
    villages = policy("credit_villages")
    engine.execute(
        "SET VARIABLE \"credit_villages.credit_grades\" = CAST(? AS VARCHAR[])", [villages["credit_grades"]]
    )
    thresholds = ["credit_share_min", "prompt_share_min", "bad_share_max"]
    fill(
        engine,
        "policy_star (stars BIGINT, credit_share_min DECIMAL(19,9), prompt_share_min DECIMAL(19,9), "
        "bad_share_max DECIMAL(19,9))",
        [
            (stars, *(villages[name][threshold] for threshold in thresholds))
            for stars, name in enumerate(["one_star", "two_stars", "three_stars"], start=1)
        ],
    )
    officers = policy("officers")
    for duty, points in officers["points"].items():
        engine.execute(f"SET VARIABLE \"officers.points.{duty}\" = ?", [points])
    bands = officers["bands"]
    fill(
        engine,
        "policy_rating (rating VARCHAR, at_least_tenths BIGINT)",
        [(band["rating"], int(band["at_least"] * 10)) for band in bands],
    )
    engine.execute("SET VARIABLE \"officers.lowest\" = ?", [bands[-1]["rating"]])
    funding = policy("grid_funding")
    fill(
        engine,
        "policy_work_fund (households_max BIGINT, amount DECIMAL(18,2))",
        [
            (
                band["households_at_most"] if "households_at_most" in band
                else band["households_below"] - 1 if "households_below" in band
                else 2**63 - 1,
                band["amount"],
            )
            for band in funding["work_fund"]
        ],
    )
    fill(
        engine,
        "policy_service_rate (settlement VARCHAR, rate DECIMAL(18,2))",
        list(funding["service_rates"].items()),
    )


def load_grades(engine: duckdb.DuckDBPyConnection, scale: dict, limits: dict) -> None:
    fill(
        engine,
        "policy_band (grade VARCHAR, at_least DECIMAL(5,1))",
        [(band["grade"], band["at_least"]) for band in scale["bands"]],
    )
    ranks = {band["grade"]: rank for rank, band in enumerate(scale["bands"], start=1)}
    rows = [
        (
            grade["grade"],
            ranks[grade["grade"]],
            False,
            grade["cap"],
            grade["income_multiple"],
            grade["net_asset_ratio"],
            grade["spread_bp"],
            annuity_factor(limits["reference_rate"], grade["spread_bp"], limits["term_months"]),
        )
        for grade in limits["grades"]
    ]
    # The veto grade ranks below all others and has a cap of nothing; it has no multiples and no spread.
    rows.append((scale["veto_grade"], len(ranks) + 1, True, 0, None, None, None, None))
    fill(
        engine,
        "policy_grade (grade VARCHAR, rank INTEGER, is_veto BOOLEAN, cap DECIMAL(18,2), income_multiple DECIMAL(19,9), "
        "net_asset_ratio DECIMAL(19,9), spread_bp BIGINT, annuity DECIMAL(19,6))",
        rows,
    )


def annuity_factor(reference_rate: decimal.Decimal, spread_bp: int, months: int) -> decimal.Decimal:
    """What one unit a month over the term is worth today, rounded half up to six decimals."""
    with decimal.localcontext(prec=60):
        rate = (reference_rate + decimal.Decimal(spread_bp) / 10_000) / 12
        factor = (1 - (1 + rate) ** -months) / rate if rate else decimal.Decimal(months)
        return factor.quantize(decimal.Decimal("0.000001"), rounding=decimal.ROUND_HALF_UP)


def load_vetoes(engine: duckdb.DuckDBPyConnection, policy: dict) -> None:
    vetoes = policy["vetoes"]
    columns = ["code", "is_overridable", "watchlist", "fact", "at_least", "more_than"]
    fill(
        engine,
        "policy_veto (position INTEGER, code VARCHAR, is_overridable BOOLEAN, watchlist VARCHAR, fact VARCHAR, "
        "at_least DOUBLE, more_than DOUBLE)",
        [(position, *(veto.get(column) for column in columns)) for position, veto in enumerate(vetoes)],
    )
    engine.execute("SET VARIABLE veto_facts = (SELECT list(DISTINCT fact) FILTER (fact IS NOT NULL) FROM policy_veto)")


def load_scorecards(engine: duckdb.DuckDBPyConnection, cards: dict[str, dict]) -> None:
    kinds, characteristics, bins = [], [], []
    for card_name, card in cards.items():
        kinds += [(kind, card_name) for kind in card["kinds"]]
        is_on = {block["id"]: block["is_on"] for block in card["blocks"]}
        for card_position, characteristic in enumerate(card["characteristics"]):
            number = len(characteristics)
            bounded, last = characteristic["bins"][:-1], characteristic["bins"][-1]
            side = "at_most" if "at_most" in bounded[0] else "at_least"
            if any(side not in bin_ for bin_ in bounded):
                raise SystemExit(f"{card_name}: the bins of {characteristic['fact']} do not run one way")
            direction = -1 if side == "at_most" else 1
            upper = float("inf")
            for bin_ in bounded:
                lower = float(direction * bin_[side])
                bins.append((number, lower, upper, bin_["points"]))
                upper = lower
            bins.append((number, float("-inf"), upper, last["points"]))
            characteristics.append(
                (
                    number,
                    card_name,
                    characteristic["fact"],
                    characteristic["block"],
                    is_on[characteristic["block"]],
                    card_position,
                    direction,
                    characteristic["missing_points"],
                    max(bin_["points"] for bin_ in characteristic["bins"]),
                )
            )
    fill(engine, "policy_kind (kind VARCHAR, scorecard_id VARCHAR)", kinds)
    fill(
        engine,
        "policy_characteristic (characteristic_no SMALLINT, scorecard_id VARCHAR, fact VARCHAR, block VARCHAR, "
        "is_on BOOLEAN, card_position SMALLINT, direction DOUBLE, missing_points DECIMAL(5,1), max_points DECIMAL(5,1))",
        characteristics,
    )
    fill(
        engine,
        "policy_bin (characteristic_no SMALLINT, lower_bound DOUBLE, upper_bound DOUBLE, points DECIMAL(5,1))",
        bins,
    )
    engine.execute("SET VARIABLE scorecard_facts = (SELECT list(DISTINCT fact) FROM policy_characteristic)")


# What was made against what the program published.


def compare(made: pathlib.Path, published: pathlib.Path, as_of: datetime.date) -> dict:
    """Joins every table by its key and compares every column exactly, floats too but for those that are named above; not
    part of the timed seconds."""
    engine = duckdb.connect()
    differences = {}
    catalogue = versions_in_force(SCHEMAS / "policies" / "indicators", as_of)
    nearly = ", ".join(
        f"'{name}'"
        for name, version in catalogue.items()
        if version["kind"] in NEARLY_EQUAL_KINDS
        or version.get("observations", {}).get("of") == NEARLY_EQUAL_COLUMN
    )
    for contract in contracts("output"):
        table, key = contract["table"], contract["key"]
        if table not in OUTPUTS:
            continue
        ours, theirs = parquet(made / table), parquet(published / table)
        if theirs is None:
            raise SystemExit(f"{published}: there is no {table}.parquet")
        tests = {
            "only here": f'theirs."{key[0]}" IS NULL',
            "only published": f'ours."{key[0]}" IS NULL',
        }
        on_both = f'ours."{key[0]}" IS NOT NULL AND theirs."{key[0]}" IS NOT NULL'
        for column in contract["columns"]:
            name = column["name"]
            if name not in key and name not in LEFT_OUT.get(table, []):
                tests[name] = f'{on_both} AND ours."{name}" IS DISTINCT FROM theirs."{name}"'
                if (table, name) == ("indicators", "value"):
                    tests[name] += (
                        f" AND NOT (ours.indicator_id IN ({nearly}) AND coalesce("
                        f"abs(ours.value - theirs.value) <= {TOLERANCE} * abs(theirs.value), false))"
                    )
        joined = f"FROM {ours} AS ours FULL JOIN {theirs} AS theirs ON " + " AND ".join(
            f'ours."{column}" = theirs."{column}"' for column in key
        )
        counts = engine.execute(
            "SELECT " + ", ".join(f"count(*) FILTER ({test})" for test in tests.values()) + f" {joined}"
        ).fetchone()
        types = {"ours": ours, "theirs": theirs}
        types = {
            side: {row[0]: row[1] for row in engine.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
            for side, source in types.items()
        }
        faults = {}
        for name in LEFT_OUT.get(table, []):
            del types["theirs"][name]
        if types["ours"] != types["theirs"]:
            faults["columns"] = sorted(map(str, set(types["ours"].items()) ^ set(types["theirs"].items())))
        for (name, test), count in zip(tests.items(), counts):
            if count:
                keys = " || ' | ' || ".join(f'coalesce(ours."{column}", theirs."{column}")' for column in key)
                values = f', ours."{name}", theirs."{name}"' if name in types["ours"] else ""
                rows = engine.execute(f"SELECT {keys}{values} {joined} WHERE {test} ORDER BY 1 LIMIT 5").fetchall()
                faults[name] = {"rows": count, "examples": [list(map(str, row)) for row in rows]}
        # The published tables are sorted by their keys, and so must these be, in the order of the file.
        columns = ", ".join(f'"{column}"' for column in key)
        unsorted = engine.execute(
            f"SELECT count(*) FILTER (before >= here) FROM (SELECT ROW({columns}) AS here, "
            f"lag(ROW({columns})) OVER (ORDER BY file_row_number) AS before "
            f"FROM {ours.removesuffix(')')}, file_row_number = true))"
        ).fetchone()[0]
        if unsorted:
            faults["out of order"] = {"rows": unsorted}
        if faults:
            differences[table] = faults
            for name, fault in faults.items():
                print(f"{table}.{name}: {json.dumps(fault, ensure_ascii=False)}", file=sys.stderr)
    return differences


if __name__ == "__main__":
    sys.exit(main())
