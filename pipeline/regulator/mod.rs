//! What leaves the bank: published values, numerators and denominators as SDMX-CSV 2.1, as Parquet and as a workbook, the
//! code list of places, and what changed against the vintage before. `released` takes out what may not leave; nothing
//! after it sees a hidden number. Decides nothing about what is hidden (`indicators` has) and writes no file.

mod csv;
mod places;
mod released;
mod revisions;
mod table;
mod workbook;

use arrow::array::RecordBatch;

use crate::calendar::Date;
use crate::clean::Tables;
use crate::contract::Contracts;
use crate::fault::Result;
use crate::indicators::Indicators;
use crate::outputs::OutputTable;
pub use crate::read::published::REGULATOR as FOLDER;
use crate::read::published::{EarlierVintage, MadeFrom};
use crate::rulebook::Rulebook;

use self::places::RefArea;
use self::released::Released;

/// Tonight's publication of an as-of date.
#[derive(Clone, Copy, Debug)]
pub struct Vintage<'a> {
    pub bank: &'a str,
    pub as_of: Date,
    pub run_id: &'a str,
    /// Which publication of the as-of date it is, from 1.
    pub sequence: u64,
    pub made_from: &'a MadeFrom,
}

/// The files of the folder for the regulator, ready to be written.
#[derive(Clone, Debug)]
pub struct Export {
    /// The rows of `indicators.csv`, to be written as Parquet too.
    pub table: OutputTable,
    pub files: Vec<ExportFile>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportFile {
    pub name: String,
    pub bytes: Vec<u8>,
    /// Rows below the headings; None where it is more than one table.
    pub rows: Option<u64>,
}

/// What leaves the bank, as far as the audit looks at it. Its files are made of nothing else, and take much longer: they
/// can be made while other things are done.
pub struct Release<'a> {
    released: Vec<Released>,
    places: Vec<RefArea>,
    table: OutputTable,
    codes: RecordBatch,
    changes: RecordBatch,
    rulebook: &'a Rulebook,
    contracts: &'a Contracts,
    vintage: Vintage<'a>,
}

/// Takes out what may not leave. `earlier` is the vintage of the same as-of date that was published last.
pub fn release<'a>(
    indicators: &Indicators,
    tables: &Tables,
    rulebook: &'a Rulebook,
    contracts: &'a Contracts,
    vintage: &Vintage<'a>,
    earlier: Option<&EarlierVintage>,
) -> Result<Release<'a>> {
    let places = places::places(&indicators.nodes.nodes, tables, vintage.bank);
    let released = released::released(&indicators.rows)?;
    let observations = table::observations(&released, &rulebook.indicators, &places)?;
    let units: Vec<&str> = released.iter().map(|row| table::unit(row, &rulebook.indicators)).collect();
    let batch = table::indicators(&observations, &units, vintage, contracts.regulator("indicators")?)?;
    let changes = revisions::revisions(&observations, vintage, earlier, contracts.regulator("revisions")?)?;
    let codes = places::code_list(&places, contracts.regulator("ref_areas")?)?;
    let table = OutputTable { name: "indicators".into(), batch };
    Ok(Release { released, places, table, codes, changes, rulebook, contracts, vintage: *vintage })
}

impl Release<'_> {
    /// The rows of `indicators.csv`.
    pub fn rows(&self) -> &RecordBatch {
        &self.table.batch
    }

    /// Makes the files.
    pub fn export(self) -> Result<Export> {
        let Release { released, places, table, codes, changes, rulebook, contracts, vintage } = self;
        let tables = [("indicators.csv", &table.batch), ("ref_areas.csv", &codes), ("revisions.csv", &changes)];
        // The workbook takes most of the time, and nearly all of it on one thread.
        let (files, bytes) = rayon::join(
            || tables.into_iter().map(|(name, batch)| csv::file(name, batch)).collect::<Result<Vec<_>>>(),
            || workbook::workbook(&released, &places, rulebook, contracts, &vintage),
        );
        let mut files = files?;
        files.push(ExportFile { name: "indicators.xlsx".into(), bytes: bytes?, rows: None });
        Ok(Export { table, files })
    }
}

/// Makes everything that leaves the bank.
pub fn export(
    indicators: &Indicators,
    tables: &Tables,
    rulebook: &Rulebook,
    contracts: &Contracts,
    vintage: &Vintage,
    earlier: Option<&EarlierVintage>,
) -> Result<Export> {
    release(indicators, tables, rulebook, contracts, vintage, earlier)?.export()
}
