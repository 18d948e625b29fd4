//! What a regulator receives of one run, read from the folder `regulator/` and nothing else: the rows of `indicators.csv`
//! and the code list of `ref_areas.csv`. Knows no rule; what may be concluded from it is the attacker's business.

use std::path::Path;

/// The units in which numerators and denominators are kept: their files show four digits after the point.
pub const UNITS: i128 = 10_000;

/// Rows and code list of one run.
#[derive(Clone, Default)]
pub struct Publication {
    pub rows: Vec<Row>,
    pub areas: Vec<RefArea>,
}

/// One row of `indicators.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub ref_area: String,
    pub indicator: String,
    pub breakdown: String,
    pub period: String,
    /// None: `NaN`.
    pub value: Option<f64>,
    /// In ten-thousandths; none: blank.
    pub numerator: Option<i128>,
    pub denominator: Option<i128>,
    pub unit: String,
    pub status: String,
    pub version: String,
    pub vintage: u64,
}

/// One code of `ref_areas.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefArea {
    pub code: String,
    pub level: String,
    /// Blank for the bank.
    pub parent: String,
    pub name: String,
}

impl Publication {
    /// Reads the folder `regulator/` of a run.
    pub fn read(folder: &Path) -> Publication {
        let bytes = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        Publication::of(&bytes("indicators.csv"), &bytes("ref_areas.csv"))
    }

    /// The two files as they were written.
    pub fn of(indicators: &[u8], ref_areas: &[u8]) -> Publication {
        let rows = records(indicators).into_iter().map(|record| {
            let cell = |column: &str| record.cell(column).to_string();
            Row {
                ref_area: cell("REF_AREA"),
                indicator: cell("INDICATOR"),
                breakdown: cell("BREAKDOWN"),
                period: cell("TIME_PERIOD"),
                value: Some(cell("OBS_VALUE")).filter(|text| text != "NaN").map(|text| text.parse().unwrap()),
                numerator: units(record.cell("NUMERATOR")),
                denominator: units(record.cell("DENOMINATOR")),
                unit: cell("UNIT_MEASURE"),
                status: cell("OBS_STATUS"),
                version: cell("DEF_VERSION"),
                vintage: cell("VINTAGE").parse().unwrap(),
            }
        });
        let areas = records(ref_areas).into_iter().map(|record| RefArea {
            code: record.cell("REF_AREA").to_string(),
            level: record.cell("LEVEL").to_string(),
            parent: record.cell("PARENT").to_string(),
            name: record.cell("NAME").to_string(),
        });
        Publication { rows: rows.collect(), areas: areas.collect() }
    }

    pub fn level(&self, code: &str) -> &str {
        let area = self.areas.iter().find(|area| area.code == code);
        area.map_or_else(|| panic!("`{code}` is no code of ref_areas.csv"), |area| area.level.as_str())
    }
}

/// One line of a CSV file under its header.
pub struct Record {
    header: csv::StringRecord,
    cells: csv::StringRecord,
}

impl Record {
    pub fn cell(&self, column: &str) -> &str {
        let place = self.header.iter().position(|name| name == column);
        let place = place.unwrap_or_else(|| panic!("no column `{column}` among {:?}", self.header));
        &self.cells[place]
    }
}

/// The lines of a CSV file.
pub fn records(bytes: &[u8]) -> Vec<Record> {
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().unwrap().clone();
    reader.records().map(|cells| Record { header: header.clone(), cells: cells.unwrap() }).collect()
}

/// A decimal number of at most four digits after the point, in ten-thousandths; none: blank.
pub fn units(text: &str) -> Option<i128> {
    if text.is_empty() {
        return None;
    }
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    assert!(fraction.len() <= 4, "`{text}` has more than four digits after the point");
    let number = |text: &str| text.parse::<i128>().unwrap_or_else(|_| panic!("`{text}` is no number"));
    Some(sign * (number(whole) * UNITS + number(&format!("{fraction:0<4}"))))
}
