#!/usr/bin/env bash
# Builds every fuzz target with the stable toolchain and runs each over the committed corpus for some seconds. Exits with
# 1 when one crashes, and says where the input lies. Usage: tests/fuzz/run.sh [SECONDS [TARGET...]]
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-20}
[ "$#" -gt 0 ] && shift
targets=("$@")
[ "${#targets[@]}" -gt 0 ] || targets=(bank_toml conditions csv night parquet policies)

# A host that is named keeps these flags from build scripts; `cargo fuzz build --sanitizer none` passes the like.
host=$(rustc -vV | sed -n 's/^host: //p')
flags=(-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4)
flags+=(-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table)
flags+=(-Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing)
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/wellfield/target}/fuzz"
RUSTFLAGS="${flags[*]}" cargo build --locked --release --bins --target "$host"

# Everything that is written lies here, so that the clone stays as it is; only the input of a crash is kept.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
artifacts=$CARGO_TARGET_DIR/artifacts
mkdir -p "$artifacts" "$scratch/tmp"

# The words of a target's files, so that the fuzzer need not guess them letter by letter.
words() {
    case $1 in
        bank_toml) find ../../sample-data -name bank.toml -exec cat {} + | grep -ohE '[A-Za-z_]{2,}|"[^"]*"' ;;
        conditions) cat ../../schemas/tables/base/*.toml ../../schemas/policies/indicators/*.toml | grep -oE '\w{2,}' ;;
        csv | night)
            cat ../../sample-data/mini/*.csv | tr ',' '\n'
            # The first and last of what a column can hold, and what only looks like a number.
            printf '%s\n' 9999-12-31 0001-01-01 9999-12-31T23:59:59.999999 2024-02-29 9999999999999999.99 \
                -9999999999999999.99 999999999999999999 9223372036854775807 180.0000001 -180 90 NaN inf 1e308 -0.0 +1
            ;;
        parquet) head -qn 1 ../../sample-data/mini/*.csv | tr ',' '\n' ;;
        policies) find ../../schemas/policies -name '*.toml' -exec cat {} + | grep -oE '\w{2,}' ;;
    esac | LC_ALL=C grep -xE '[ -~]{2,40}' | sort -u | sed 's/[\\"]/\\&/g; s/.*/"&"/'
}

crashed=0
for target in "${targets[@]}"; do
    cp -R "corpus/$target" "$scratch/$target"
    options=(-max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=1)
    options+=(-artifact_prefix="$artifacts/$target-")
    words "$target" > "$scratch/$target.dict"
    options+=(-dict="$scratch/$target.dict")
    if TMPDIR="$scratch/tmp" "$CARGO_TARGET_DIR/$host/release/$target" "${options[@]}" "$scratch/$target" \
        > "$scratch/log" 2>&1; then
        outcome="no crash"
    else
        crashed=1
        outcome="CRASH: $(sed -n 's/.*Test unit written to //p' "$scratch/log" | tail -n 1)"
        grep -v '^#' "$scratch/log" | tail -n 40
    fi
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$scratch/log")
    printf '%-12s %9s executions, %s\n' "$target" "${executions:-?}" "$outcome"
done
exit "$crashed"
