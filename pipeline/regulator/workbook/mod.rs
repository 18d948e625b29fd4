//! The workbook for people: one sheet for each dimension in long form, and sheets that say what everything means. The same
//! run gives the same bytes: its dates are the as-of date, and nothing else in it comes from a clock.

mod notes;
mod sheet;
mod wording;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::contract::Contracts;
use crate::decimal::format_scaled;
use crate::definitions::dimension_in_words;
use crate::fault::{Error, Fault, Result};
use crate::indicators::Status;
use crate::read::guarded;
use crate::rulebook::indicators::{Dimension, Kind};
use crate::rulebook::{Indicator, Rulebook};

use self::sheet::{Formats, HEADING_ROWS, Heading, heading, headings, text};
use super::Vintage;
use super::places::RefArea;
use super::released::{Part, Released, SCALE};

/// Rows that a sheet of Excel has.
const SHEET_ROWS: usize = 1 << 20;
const DATA_ROWS: usize = SHEET_ROWS - HEADING_ROWS as usize;

/// The columns of a sheet of a dimension.
const COLUMNS: [Heading; 15] = [
    heading("indicator", "指标编号", 28.0),
    heading("name", "英文名称", 44.0),
    heading("name (Chinese)", "指标名称", 36.0),
    heading("level", "层级", 11.0),
    heading("ref area", "地区编号", 14.0),
    heading("name of the bank, branch or area", "全行、网点或行政区名称", 28.0),
    heading("breakdown", "分组", 11.0),
    heading("value", "指标值", 16.0),
    heading("numerator", "分子", 18.0),
    heading("denominator", "分母", 18.0),
    heading("unit", "单位", 22.0),
    heading("target", "目标值", 11.0),
    heading("met", "是否达标", 9.0),
    heading("status", "状态", 8.0),
    heading("version", "定义版本", 9.0),
];

/// What every sheet is made from.
struct Content<'a> {
    rows: &'a [Released],
    places: &'a [RefArea],
    rulebook: &'a Rulebook,
    contracts: &'a Contracts,
    vintage: &'a Vintage<'a>,
}

/// The bytes of `indicators.xlsx`.
pub(super) fn workbook(
    rows: &[Released],
    places: &[RefArea],
    rulebook: &Rulebook,
    contracts: &Contracts,
    vintage: &Vintage,
) -> Result<Vec<u8>> {
    // The library stops where it cannot write the rows that it keeps in a file.
    let made = guarded(|| make(&Content { rows, places, rulebook, contracts, vintage })).map_err(|panic| {
        let fault = Fault::new("could not write the temporary file of `indicators.xlsx`").caused_by(panic);
        Error::could_not_run(
            fault.hint("it lies in the folder that `TMPDIR` names, or `/tmp`; see whether its disk is full"),
        )
    })?;
    made.map_err(|error| match error {
        Failure::Workbook(error) => Error::internal(format!("the workbook cannot be written: {error}")),
        Failure::Content(error) => error,
    })
}

/// Why there is no workbook: what it is written with, or what goes into it.
enum Failure {
    Workbook(XlsxError),
    Content(Error),
}

impl From<XlsxError> for Failure {
    fn from(error: XlsxError) -> Failure {
        Failure::Workbook(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Content(error)
    }
}

fn make(content: &Content) -> std::result::Result<Vec<u8>, Failure> {
    let mut workbook = Workbook::new();
    let day = ExcelDateTime::parse_from_str(&content.vintage.as_of.to_string())?;
    let properties = DocProperties::new()
        .set_title(format!("{} {}", content.vintage.bank, content.vintage.as_of))
        .set_creation_datetime(&day);
    workbook.set_properties(&properties);
    let decimals = content.rulebook.indicators.iter().map(|indicator| indicator.definition.decimals);
    let formats = Formats::new(decimals.max().unwrap_or(0).max(SCALE));
    notes::readme(workbook.add_worksheet(), content, &formats)?;
    for &dimension in Dimension::ALL {
        let rows: Vec<(&Released, &Indicator)> = rows_of(content, dimension).collect();
        let mut parts = rows.chunks(DATA_ROWS).enumerate().collect::<Vec<_>>();
        if parts.is_empty() {
            parts.push((0, &[]));
        }
        for (part, rows) in parts {
            // Hundreds of thousands of rows would take more memory than the night: so many go to a file as they come.
            let worksheet = match rows.len() > ROWS_HELD_MAX {
                true => workbook.add_worksheet_with_low_memory(),
                false => workbook.add_worksheet(),
            };
            worksheet.set_name(name(dimension, part))?;
            fill(worksheet, rows, content.places, &formats)?;
        }
    }
    notes::definitions(workbook.add_worksheet(), content, &formats)?;
    notes::sources(workbook.add_worksheet(), content, &formats)?;
    Ok(workbook.save_to_buffer()?)
}

/// Rows of a sheet that stay in memory until the workbook is written.
const ROWS_HELD_MAX: usize = 10_000;

/// The sheet of a dimension; what does not fit goes on in a second one.
fn name(dimension: Dimension, part: usize) -> String {
    let (en, zh) = (dimension.name(), dimension_in_words(dimension).zh);
    if part == 0 { format!("{en} {zh}") } else { format!("{en} {} {zh}", part + 1) }
}

fn rows_of<'a>(
    content: &'a Content<'a>,
    dimension: Dimension,
) -> impl Iterator<Item = (&'a Released, &'a Indicator)> + 'a {
    let indicators = &content.rulebook.indicators;
    let rows = content.rows.iter().filter_map(|row| Some((row, indicators.get(row.indicator)?)));
    rows.filter(move |(_, indicator)| indicator.definition.dimension == dimension)
}

fn fill(
    worksheet: &mut Worksheet,
    rows: &[(&Released, &Indicator)],
    places: &[RefArea],
    formats: &Formats,
) -> std::result::Result<(), XlsxError> {
    headings(worksheet, &COLUMNS, rows.len(), formats)?;
    for ((row, indicator), line) in rows.iter().zip(HEADING_ROWS..) {
        let definition = &indicator.definition;
        let place = places.get(row.node);
        text(worksheet, line, 0, &indicator.id)?;
        text(worksheet, line, 1, &indicator.name.en)?;
        text(worksheet, line, 2, &indicator.name.zh)?;
        text(worksheet, line, 3, place.map_or("", |place| place.level.name()))?;
        text(worksheet, line, 4, place.map_or("", |place| &place.code))?;
        text(worksheet, line, 5, place.map_or("", |place| &place.name))?;
        text(worksheet, line, 6, row.breakdown.name())?;
        let number = formats.number(definition.decimals);
        match (row.value, row.status) {
            (Some(value), _) => worksheet.write_number_with_format(line, 7, value, number)?,
            (None, Status::Suppressed) => worksheet.write_with_format(line, 7, row.status.code(), &formats.hidden)?,
            (None, _) => worksheet.write_with_format(line, 7, row.status.code(), &formats.mark)?,
        };
        let (numerator, denominator) = part_decimals(&definition.kind);
        part(worksheet, line, 8, row.numerator, formats.number(numerator), &formats.hidden)?;
        part(worksheet, line, 9, row.denominator, formats.number(denominator), &formats.hidden)?;
        text(worksheet, line, 10, &definition.unit)?;
        if let Some(target) = row.target {
            worksheet.write_number_with_format(line, 11, target, number)?;
        }
        if let Some(met) = row.met {
            worksheet.write_boolean(line, 12, met)?;
        }
        text(worksheet, line, 13, row.status.code())?;
        text(worksheet, line, 14, &definition.version)?;
    }
    Ok(())
}

fn part(
    worksheet: &mut Worksheet,
    line: u32,
    column: u16,
    part: Part,
    shown: &Format,
    hidden: &Format,
) -> std::result::Result<(), XlsxError> {
    match part {
        Part::Shown(units) => {
            // The nearest float, as a reader of the CSV's text would get it.
            let number = format_scaled(units, SCALE).parse().unwrap_or(f64::NAN);
            worksheet.write_number_with_format(line, column, number, shown)?;
        }
        Part::Hidden => {
            worksheet.write_blank(line, column, hidden)?;
        }
        Part::None => {}
    }
    Ok(())
}

/// Digits that numerator and denominator have after the point.
fn part_decimals(kind: &Kind) -> (u32, u32) {
    let (numerator, denominator) = match kind {
        Kind::Ratio(ratio) => (ratio.numerator.scale(), ratio.denominator.scale()),
        Kind::Amount(part) => (part.scale(), 0),
        Kind::Growth(growth) => (growth.now.scale(), growth.before.scale()),
        Kind::GrowthGap { .. }
        | Kind::Quantile { .. }
        | Kind::Gini(_)
        | Kind::Theil(_)
        | Kind::TheilBetween(_)
        | Kind::Index(_) => (0, 0),
    };
    (numerator.min(SCALE), denominator.min(SCALE))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Range, Reader as _, Xlsx};

    use super::*;
    use crate::calendar::Date;
    use crate::indicators::Breakdown;
    use crate::read::published::MadeFrom;
    use crate::rulebook::indicators::Level;
    use crate::rulebook::{FACTS, RulebookPlace};

    fn row(indicator: usize, status: Status, value: Option<f64>, numerator: Part, denominator: Part) -> Released {
        let (target, met) = (Some(0.5), value.map(|value| value >= 0.5));
        Released { indicator, node: 0, breakdown: Breakdown::All, status, value, numerator, denominator, target, met }
    }

    fn written(rows: impl Fn(&Rulebook) -> Vec<Released>) -> Vec<u8> {
        let as_of = Date::parse("2026-06-30").unwrap();
        let rulebook = Rulebook::load(&RulebookPlace::BuiltIn, as_of, FACTS).unwrap();
        let name = "=1+1 <村>".to_string();
        let places = [RefArea { code: "bank".into(), level: Level::Bank, parent: None, name }];
        let made_from = MadeFrom::default();
        let vintage = Vintage { bank: "A bank", as_of, run_id: "run", sequence: 2, made_from: &made_from };
        workbook(&rows(&rulebook), &places, &rulebook, &Contracts::built_in().unwrap(), &vintage).unwrap()
    }

    fn position(rulebook: &Rulebook, id: &str) -> usize {
        rulebook.indicators.iter().position(|indicator| indicator.id == id).unwrap()
    }

    fn few(rulebook: &Rulebook) -> Vec<Released> {
        let granting = position(rulebook, "granting_share");
        let balance = position(rulebook, "all_balance");
        vec![
            row(balance, Status::Published, Some(1_234_567.89), Part::Shown(12_345_678_900), Part::None),
            row(granting, Status::Published, Some(0.75), Part::Shown(90_000), Part::Shown(120_000)),
            row(granting, Status::Suppressed, None, Part::Hidden, Part::Shown(120_000)),
            row(granting, Status::CannotExist, None, Part::Shown(0), Part::Shown(0)),
        ]
    }

    fn sheet(bytes: &[u8], name: &str) -> Range<Data> {
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes.to_vec())).unwrap();
        book.worksheet_range(name).unwrap()
    }

    #[test]
    fn the_sheets_are_the_dimensions_and_what_explains_them() {
        let book: Xlsx<_> = Xlsx::new(Cursor::new(written(few))).unwrap();
        let expected = [
            "readme 说明",
            "usage 使用",
            "access 可得性",
            "quality 质量",
            "equity 公平",
            "timeliness 时效",
            "definitions 指标定义",
            "sources 依据",
        ];
        assert_eq!(book.sheet_names(), expected);
    }

    #[test]
    fn what_one_sheet_cannot_hold_goes_on_in_the_next() {
        assert_eq!(name(Dimension::Usage, 0), "usage 使用");
        assert_eq!(name(Dimension::Usage, 1), "usage 2 使用");
        assert_eq!(DATA_ROWS + HEADING_ROWS as usize, 1_048_576, "rows of a sheet of Excel");
    }

    #[test]
    fn a_sheet_holds_what_is_published_and_marks_what_is_not() {
        let usage = sheet(&written(few), "usage 使用");
        let cells = |line: u32| -> Vec<String> {
            let cell = |column| usage.get_value((line, column)).map_or_else(String::new, ToString::to_string);
            [0, 5, 7, 8, 9, 11, 12, 13].map(cell).to_vec()
        };
        let name = "=1+1 <村>";
        assert_eq!(cells(2), ["all_balance", name, "1234567.89", "1234567.89", "", "0.5", "true", "A"]);
        assert_eq!(cells(3), ["granting_share", name, "0.75", "9", "12", "0.5", "true", "A"]);
        assert_eq!(cells(4), ["granting_share", name, "Q", "", "12", "0.5", "", "Q"]);
        assert_eq!(cells(5), ["granting_share", name, "M", "0", "0", "0.5", "", "M"]);
        assert_eq!(usage.get_value((2, 7)), Some(&Data::Float(1_234_567.89)));
    }

    #[test]
    fn every_definition_and_its_source_is_told() {
        let bytes = written(few);
        let definitions = sheet(&bytes, "definitions 指标定义");
        let find = |id: &str| {
            let mut rows = definitions.rows();
            rows.find(|row| row[0] == *id).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let granting = find("granting_share");
        assert_eq!(granting[6..8], ["count of households where granted", "count of households"]);
        let index = find("inclusion_index");
        assert!(index[5].contains("granting_share (weight 0.5, worst 0, best 0.6)"), "{}", index[5]);
        let sources = sheet(&bytes, "sources 依据");
        let sarma = sources.rows().find(|row| row[0] == *"sarma_2012").unwrap();
        assert!(sarma[6].to_string().contains("inclusion_index"));
    }

    #[test]
    fn the_same_rows_give_the_same_bytes() {
        assert!(written(few) == written(few));
    }
}
