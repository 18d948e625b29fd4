//! The large tables pass the audit piece by piece. It must find what it finds of whole tables, wherever they are cut: also
//! a fault that lies between two pieces.

use arrow::array::UInt32Array;
use arrow::compute::{cast, concat_batches, take_record_batch};
use wellfield::audit::Auditor;
use wellfield::outputs::{self, Outputs};
use wellfield::regulator::Export;

use super::*;

/// A sound night, its tables, and what it gives to the regulator.
struct Sound {
    contracts: Contracts,
    rulebook: Rulebook,
    night: Night,
    previous: Previous,
    export: Export,
}

/// Tables cut into pieces.
type Pieces = Vec<Vec<OutputTable>>;

impl Sound {
    fn night() -> Sound {
        let contracts = Contracts::built_in().unwrap();
        let as_of = Date::parse("2026-06-30").unwrap();
        let rulebook = Rulebook::load(&RulebookPlace::BuiltIn, as_of, FACTS).unwrap();
        let bank = Bank::open(&repository().join("sample-data/bank"), &contracts).unwrap();
        let cleaned = clean::clean(&bank, &contracts, as_of).unwrap();
        let previous = Previous::default();
        let night = night::rate(cleaned, &previous, &rulebook, &contracts, &mut Watch::new(&mut |_| ())).unwrap();
        let made_from = MadeFrom::default();
        let vintage =
            Vintage { bank: "sample", as_of, run_id: "0123456789abcdef0123", sequence: 1, made_from: &made_from };
        let tables = &night.cleaned.tables;
        let export =
            regulator::export(&night.indicators(&rulebook), tables, &rulebook, &contracts, &vintage, None).unwrap();
        Sound { contracts, rulebook, night, previous, export }
    }

    fn tables(&self) -> Vec<OutputTable> {
        self.night.outputs(&self.previous, &self.rulebook, &self.contracts).unwrap()
    }

    fn audited<'a>(&'a self, outputs: &'a [OutputTable]) -> Audited<'a> {
        let Sound { contracts, rulebook, night, previous, .. } = self;
        Audited { cleaned: &night.cleaned, outputs, previous, rulebook, contracts }
    }

    fn of_whole(&self, outputs: &[OutputTable], released: &RecordBatch) -> Vec<AuditRow> {
        audit::audit(&self.audited(outputs), released, &Allowed::default()).unwrap()
    }

    /// Small tables as they are in `outputs`, the large ones in pieces.
    fn of_pieces(&self, outputs: &[OutputTable], pieces: &Pieces, released: &RecordBatch) -> Vec<AuditRow> {
        let (indicators, small): (Vec<OutputTable>, Vec<_>) = outputs
            .iter()
            .filter(|output| !is_large(output))
            .cloned()
            .partition(|output| output.name == outputs::INDICATORS);
        let audited = self.audited(&small);
        let auditor = Auditor::of(&audited).unwrap();
        let mut audit = auditor.begin();
        for piece in pieces {
            audit.take(auditor.look(piece).unwrap()).unwrap();
        }
        let indicators = auditor.indicators(&indicators[0], released).unwrap();
        audit.end(indicators, &Allowed::default()).unwrap()
    }

    fn released(&self) -> &RecordBatch {
        &self.export.table.batch
    }

    /// The checks that fail for sound small tables and these pieces, with their tables and rows.
    fn failing(&self, pieces: &Pieces) -> Vec<(String, String, u64)> {
        let rows = self.of_pieces(&self.tables(), pieces, self.released());
        let failed = rows.into_iter().filter(|row| !row.passed);
        failed.map(|row| (row.check, row.table, row.failures)).collect()
    }
}

fn is_large(output: &OutputTable) -> bool {
    output.name == outputs::VISIT_CHECKS || outputs::of_households().any(|table| table == output.name)
}

fn ids(output: &OutputTable) -> StringArray {
    let ids = output.batch.column_by_name("household_id").unwrap();
    cast(ids, &DataType::Utf8).unwrap().as_string::<i32>().clone()
}

/// The rows whose household is above one bound and not above another.
fn between(output: &OutputTable, above: Option<&str>, most: Option<&str>) -> OutputTable {
    let ids = ids(output);
    let is_meant = |id: &str| above.is_none_or(|above| id > above) && most.is_none_or(|most| id <= most);
    let rows: UInt32Array = (0..ids.len() as u32).filter(|&row| is_meant(ids.value(row as usize))).collect();
    OutputTable { name: output.name.clone(), batch: take_record_batch(&output.batch, &rows).unwrap() }
}

/// Cut after so many households, and visits after so many rows.
fn cut(tables: &[OutputTable], households: usize, visits: usize) -> Pieces {
    let facts = ids(tables.iter().find(|table| table.name == "household_facts").unwrap());
    let ends: Vec<&str> = (households..facts.len()).step_by(households).map(|end| facts.value(end - 1)).collect();
    let bounds = std::iter::once(None).chain(ends.iter().map(|end| Some(*end)));
    let bounds: Vec<Option<&str>> = bounds.chain([None]).collect();
    let of_households: Vec<_> = outputs::of_households()
        .map(|name| tables.iter().find(|table| table.name == name).expect("the table is there"))
        .collect();
    let mut pieces: Pieces = bounds
        .windows(2)
        .map(|bounds| of_households.iter().map(|table| between(table, bounds[0], bounds[1])).collect())
        .collect();
    let checks = tables.iter().find(|table| table.name == outputs::VISIT_CHECKS).unwrap();
    let rows = checks.batch.num_rows();
    pieces.extend((0..rows).step_by(visits).map(|first| {
        let batch = checks.batch.slice(first, visits.min(rows - first));
        vec![OutputTable { name: checks.name.clone(), batch }]
    }));
    pieces
}

#[test]
fn pieces_put_together_are_the_tables() {
    let sound = Sound::night();
    let whole = sound.tables();
    let made = Outputs::of(sound.night.results(&sound.previous, &sound.rulebook, &sound.contracts)).unwrap();
    let text = |batch: &RecordBatch| as_text(batch);
    for size in [1, 2, 7, 1000] {
        let of_households: Vec<Vec<OutputTable>> = (0..made.households())
            .step_by(size)
            .map(|first| made.of_households(&(first..made.households().min(first + size))).unwrap())
            .collect();
        for (place, name) in outputs::of_households().enumerate() {
            let batches: Vec<RecordBatch> = of_households.iter().map(|piece| text(&piece[place].batch)).collect();
            let expected = text(&whole.iter().find(|table| table.name == name).unwrap().batch);
            assert_eq!(concat_batches(&expected.schema(), &batches).unwrap(), expected, "{name} by {size}");
        }
    }
    let parts = 0..made.visit_parts();
    let batches: Vec<RecordBatch> = parts.map(|part| text(&made.visit_part(part).unwrap().batch)).collect();
    let expected = text(&whole[0].batch);
    assert_eq!(concat_batches(&expected.schema(), &batches).unwrap(), expected, "visit_checks");
    let names: Vec<&str> = whole.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, outputs::names().collect::<Vec<_>>());
}

#[test]
fn a_changed_cell_is_found_wherever_the_tables_are_cut() {
    let sound = Sound::night();
    let mut tables = sound.tables();
    tables.push(OutputTable { name: RELEASED.into(), batch: sound.released().clone() });
    for tampering in &TAMPERINGS {
        let mut tampered: Vec<OutputTable> = tables.iter().map(|output| tamper(output, tampering)).collect();
        let released = tampered.pop().unwrap().batch;
        let whole = sound.of_whole(&tampered, &released);
        assert!(whole.iter().any(|row| row.check == tampering.check && !row.passed));
        for (households, visits) in [(1, 1), (3, 100), (1000, 7)] {
            let pieces = cut(&tampered, households, visits);
            let found = sound.of_pieces(&tampered, &pieces, &released);
            assert_eq!(found, whole, "{} of {} cut after {households}", tampering.column, tampering.table);
        }
    }
}

#[test]
fn a_key_that_two_pieces_have_is_found() {
    let sound = Sound::night();
    let tables = sound.tables();
    let sound_pieces = cut(&tables, 5, 50);
    assert_eq!(sound.failing(&sound_pieces), []);
    let households = sound_pieces.iter().filter(|piece| piece.len() > 1).count();

    // The first piece ends with the household that the second begins with.
    let mut pieces = sound_pieces.clone();
    let first_of_second = ids(&pieces[1][0]).value(0).to_string();
    pieces[0] = outputs::of_households()
        .map(|name| between(tables.iter().find(|table| table.name == name).unwrap(), None, Some(&first_of_second)))
        .collect();
    let failure = |check: &str, table: &str| (check.to_string(), table.to_string(), 1);
    let keys: Vec<_> = outputs::of_households().map(|table| failure("key_unique", table)).collect();
    let counted = [failure("every_household_counted", "grid_coverage")];
    assert_eq!(sound.failing(&pieces), [&keys[..], &counted].concat());
    let repeated = sound.of_pieces(&tables, &pieces, sound.released());
    let row = repeated.iter().find(|row| row.check == "key_unique" && row.table == "household_facts").unwrap();
    let detail = format!("1 rows repeat a key or stand out of order, for example `{first_of_second}`");
    assert_eq!(row.detail, detail);

    // Two pieces that come in the wrong order.
    let mut pieces = sound_pieces.clone();
    pieces.swap(0, 1);
    assert_eq!(sound.failing(&pieces), keys);

    // A visit that two batches have.
    let mut pieces = sound_pieces;
    let batch = pieces[households][0].batch.clone();
    let batch = batch.slice(batch.num_rows() - 1, 1);
    pieces.insert(households + 1, vec![OutputTable { name: outputs::VISIT_CHECKS.into(), batch }]);
    assert_eq!(sound.failing(&pieces), [failure("key_unique", outputs::VISIT_CHECKS)]);
}

#[test]
fn a_household_that_one_table_lacks_is_found_at_the_edge_of_a_piece() {
    let sound = Sound::night();
    let tables = sound.tables();
    for (place, table) in outputs::of_households().enumerate().skip(1) {
        for (piece, is_last) in [(0, true), (1, false), (1, true)] {
            let mut pieces = cut(&tables, 5, 50);
            let of_piece = ids(&pieces[piece][0]);
            let lacking = of_piece.value(if is_last { of_piece.len() - 1 } else { 0 }).to_string();
            let without = &pieces[piece][place];
            let rows: UInt32Array = (0..without.batch.num_rows() as u32)
                .filter(|&row| ids(without).value(row as usize) != lacking)
                .collect();
            pieces[piece][place].batch = take_record_batch(&without.batch, &rows).unwrap();
            let found = sound.of_pieces(&tables, &pieces, sound.released());
            let row = found.iter().find(|row| row.check == "every_household_once" && row.table == table).unwrap();
            assert_eq!(row.failures, 1, "{table} without {lacking}");
            assert!(row.detail.contains(&format!("`{lacking}`")), "{}", row.detail);
        }
    }
}
