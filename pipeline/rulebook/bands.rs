//! Bands of points from 0 to 100 that can be read aloud, best first: "AA from 80 to below 90".
//! Used where points become a word: grades of households, ratings of officers.

use super::table::Table;

/// The points of a full score, in tenths: every scorecard and every assessment counts to 100.
pub const FULL_TENTHS: i32 = 1000;

/// One band: its name, the least points that it takes, and where it ends, in tenths.
pub(super) struct Band {
    pub(super) name: String,
    pub(super) at_least: i32,
    ends: i32,
}

/// Reads `bands`, whose rows name themselves under `name_key`; gaps, overlaps and disorder are noted.
pub(super) fn read(version: &Table<'_>, name_key: &str) -> Option<Vec<Band>> {
    let rows = version.tables("bands")?;
    let bands: Vec<Option<Band>> =
        rows.iter().enumerate().map(|(position, row)| read_band(row, name_key, position == 0)).collect();
    let mut better: Option<&Band> = None;
    let mut names: Vec<&str> = Vec::new();
    for (row, band) in rows.iter().zip(&bands) {
        if let Some(band) = band {
            if names.contains(&band.name.as_str()) {
                let sentence = format!("the band `{}` stands twice", band.name);
                row.fault(name_key, &sentence, "give each band a name of its own");
            }
            names.push(&band.name);
            check_ends(row, band, better);
        }
        better = band.as_ref();
    }
    if let (Some(row), Some(Some(lowest))) = (rows.last(), bands.last())
        && lowest.at_least != 0
    {
        let hint = format!("write `at_least = 0` for `{}`, or add a band below it", lowest.name);
        row.fault("at_least", "the lowest band does not begin at 0, so some scores have no band", &hint);
    }
    bands.into_iter().collect()
}

fn read_band(row: &Table<'_>, name_key: &str, is_best: bool) -> Option<Band> {
    let name = row.label(name_key);
    let at_least = row.tenths("at_least");
    let ends = row.tenths(if is_best { "at_most" } else { "below" });
    row.close();
    let band = Band { name: name?, at_least: at_least?, ends: ends? };
    if is_best && band.ends != FULL_TENTHS {
        let sentence = "the best band does not end at 100, so some scores have no band";
        row.fault("at_most", sentence, "write `at_most = 100`");
    }
    Some(band)
}

/// A band is not empty, lies below the better one, and ends where that begins.
fn check_ends(row: &Table<'_>, band: &Band, better: Option<&Band>) {
    let name = &band.name;
    if let Some(better) = better
        && band.at_least >= better.at_least
    {
        let sentence = format!("the band `{name}` does not begin below the better band `{}`", better.name);
        row.fault("at_least", &sentence, "write the bands best first");
    } else if band.at_least >= band.ends {
        row.fault("at_least", &format!("the band `{name}` is empty"), "at_least must be less than the band's end");
    } else if let Some(better) = better
        && band.ends != better.at_least
    {
        let what = if band.ends < better.at_least { "a gap" } else { "an overlap" };
        let sentence = format!("there is {what} between the band `{name}` and the better band `{}`", better.name);
        row.fault("below", &sentence, &format!("`below` must be where `{}` begins", better.name));
    }
}
