//! Bands of points from 0 to 100 that can be read aloud, best first: "AA from 80 to below 90".
//! Used where points become a word: grades of households, ratings of officers.

use super::table::Table;

/// The points of a full score, in tenths: every scorecard and every assessment counts to 100.
pub(super) const FULL_TENTHS: i32 = 1000;

/// One band: its name and the least points, in tenths, that it takes.
pub(super) struct Band {
    pub(super) name: String,
    pub(super) at_least: i32,
}

/// Reads `bands`, whose rows name themselves under `name_key`; gaps, overlaps and disorder are noted.
pub(super) fn read(version: &Table<'_>, name_key: &str) -> Option<Vec<Band>> {
    let rows = version.tables("bands")?;
    let mut bands: Vec<Band> = Vec::new();
    let mut is_whole = true;
    for row in &rows {
        let Some(band) = read_row(row, name_key, bands.last()) else {
            is_whole = false;
            continue;
        };
        if bands.iter().any(|other| other.name == band.name) {
            row.fault(name_key, &format!("the band `{}` stands twice", band.name), "give each band a name of its own");
        }
        bands.push(band);
    }
    if let (Some(row), Some(lowest), true) = (rows.last(), bands.last(), is_whole)
        && lowest.at_least != 0
    {
        let hint = format!("write `at_least = 0` for `{}`, or add a band below it", lowest.name);
        row.fault("at_least", "the lowest band does not begin at 0, so some scores have no band", &hint);
    }
    is_whole.then_some(bands)
}

fn read_row(row: &Table<'_>, name_key: &str, better: Option<&Band>) -> Option<Band> {
    let name = row.label(name_key);
    let at_least = row.tenths("at_least");
    let upper_key = if better.is_none() { "at_most" } else { "below" };
    let upper = row.tenths(upper_key);
    row.close();
    let (name, at_least, upper) = (name?, at_least?, upper?);
    let expected = better.map_or(FULL_TENTHS, |better| better.at_least);
    match better {
        None if upper != expected => {
            row.fault(
                upper_key,
                "the best band does not reach 100, so some scores have no band",
                "write `at_most = 100`",
            );
        }
        Some(better) if at_least >= better.at_least => {
            let sentence = format!("the band `{name}` does not begin below the better band `{}`", better.name);
            row.fault("at_least", &sentence, "write the bands best first");
        }
        Some(better) if upper != expected => {
            let what = if upper < expected { "a gap" } else { "an overlap" };
            let sentence = format!("there is {what} between the band `{name}` and the better band `{}`", better.name);
            row.fault(upper_key, &sentence, &format!("`below` must be where `{}` begins", better.name));
        }
        _ if at_least >= upper => {
            row.fault("at_least", &format!("the band `{name}` is empty"), "at_least must be less than the band's end");
        }
        _ => {}
    }
    Some(Band { name, at_least })
}
