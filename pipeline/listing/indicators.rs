//! The indicators of a published run for a person: of the bank, of one branch or area, or of every area of a level; and
//! how they went over the runs published before. Values, parts and what may not leave the bank are the run's own; names
//! and digits are those of the catalogue in force on its day.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use crate::calendar::Date;
use crate::decimal::format_scaled;
use crate::definitions::Texts;
use crate::explanation::{Language, grouped};
use crate::fault::{Error, Fault, Result};
use crate::indicators::BANK;
use crate::read::published::{self, PublishedRun};
use crate::read::suggestion;
use crate::rulebook::indicators::{Dimension, Indicator, Level};

use super::rows::{Row, Rows};
use super::words::SEGMENTS;
use super::{RunHead, indicators_text, unknown};

const TABLE: &str = "indicators";
/// The breakdown that holds the others.
pub const ALL: &str = "all";

/// What is asked for; left empty it is every indicator of the bank.
#[derive(Clone, Debug, Default)]
pub struct Question {
    pub level: Option<Level>,
    /// One branch or area.
    pub ref_id: Option<String>,
    /// Ids; those that are named are told with all their breakdowns.
    pub indicators: Vec<String>,
    /// A trend over the published runs from this as-of date on.
    pub since: Option<Date>,
}

/// The answer, for machines; the form for people is made of it.
#[derive(Clone, Debug, Serialize)]
pub struct Indicators {
    pub run: RunHead,
    pub level: String,
    /// None: every branch or area of the level.
    pub ref_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trend: Option<Trend>,
    /// By dimension and id.
    pub indicators: Vec<IndicatorLines>,
}

/// The runs that a trend is taken over, oldest first: of each as-of date the one published last.
#[derive(Clone, Debug, Serialize)]
pub struct Trend {
    pub since: String,
    pub runs: Vec<RunHead>,
    /// Runs of an earlier program, which have no indicators.
    pub runs_without_indicators: Vec<RunHead>,
}

/// One indicator, and its rows.
#[derive(Clone, Debug, Serialize)]
pub struct IndicatorLines {
    pub indicator_id: String,
    /// None, as dimension and decimals, where the catalogue does not know the indicator any more.
    pub name: Option<Texts>,
    pub dimension: Option<&'static str>,
    /// Digits after the point that a person is shown.
    pub decimals: Option<u32>,
    /// Only of a trend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
    /// By branch or area, breakdown and date.
    pub rows: Vec<IndicatorRow>,
}

/// What stands in the way of comparing the values of a trend.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct History {
    /// The definitions in the order of the dates, each from its first on; values of several are not of one definition.
    pub definitions: Vec<DefinitionFrom>,
    /// As-of dates of runs in which the indicator has no such row.
    pub periods_without: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DefinitionFrom {
    /// As the catalogue names it; two definitions should not, but may, bear one.
    pub version: String,
    pub period: String,
}

/// One row as the table has it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct IndicatorRow {
    pub version: String,
    pub level: String,
    pub ref_id: String,
    pub breakdown: String,
    pub period: String,
    pub numerator: Option<Quantity>,
    pub denominator: Option<Quantity>,
    pub value: Option<f64>,
    pub unit: String,
    pub target: Option<f64>,
    pub met: Option<bool>,
    /// A: a value; L: a source is not collected; M: cannot exist; Q: a value that may not leave the bank.
    pub status: String,
    pub published_value: Option<f64>,
    /// Only of a trend: against the date before; null where one of the two has no value, or the definition has changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// Digest of the definition, where the run says it.
    #[serde(skip)]
    pub(super) definition: Option<String>,
}

/// The difference to the value before, in the unit of the value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Change(pub Option<f64>);

/// A numerator or denominator in ten-thousandths. Text: `12,345.5`; JSON: `"12345.5000"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantity(pub i128);

const QUANTITY_DIGITS: u32 = 4;

impl std::fmt::Display for Quantity {
    /// Cents are written out, and what needs more digits than they have bears them.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format_scaled(self.0, QUANTITY_DIGITS);
        let shown = text.strip_suffix(".0000").or_else(|| text.strip_suffix("00")).unwrap_or(&text);
        formatter.write_str(&grouped(shown))
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_scaled(self.0, QUANTITY_DIGITS))
    }
}

/// Reads back the indicators asked for. `known` are the published runs that a trend may be taken over, `catalogue` what
/// is in force on the run's day.
pub fn indicators(
    run: &PublishedRun,
    known: &[PublishedRun],
    catalogue: &[Indicator],
    question: &Question,
) -> Result<Indicators> {
    let wanted = Wanted::of(run, question)?;
    let mut found: BTreeMap<String, Vec<IndicatorRow>> = BTreeMap::new();
    let trend = match question.since {
        None => {
            wanted.read(run, &mut found)?;
            None
        }
        Some(since) => {
            let (with, without) = runs_since(since, run, known)?;
            for run in &with {
                wanted.read(run, &mut found)?;
            }
            let heads = |runs: Vec<&PublishedRun>| runs.into_iter().map(RunHead::of).collect();
            Some(Trend { since: since.to_string(), runs: heads(with), runs_without_indicators: heads(without) })
        }
    };
    let periods: Option<Vec<&str>> =
        trend.as_ref().map(|trend| trend.runs.iter().map(|run| run.as_of.as_str()).collect());
    let lines = found.into_iter().map(|(id, rows)| IndicatorLines::of(id, rows, catalogue, periods.as_deref()));
    let mut lines: Vec<IndicatorLines> = lines.collect();
    lines.sort_by_key(|lines| lines.place());
    Ok(Indicators {
        run: RunHead::of(run),
        level: wanted.level.name().to_string(),
        ref_id: wanted.ref_id,
        trend,
        indicators: lines,
    })
}

/// The indicators as text for people.
pub fn in_words(indicators: &Indicators, language: Language) -> String {
    indicators_text::in_words(indicators, language)
}

/// The runs from a date up to the run, of each date the one published last, oldest first: those with indicators, and
/// those without.
fn runs_since<'a>(
    since: Date,
    run: &'a PublishedRun,
    known: &'a [PublishedRun],
) -> Result<(Vec<&'a PublishedRun>, Vec<&'a PublishedRun>)> {
    if since > run.as_of {
        let fault = Fault::new(format!("{since} is after {}, the as-of date of run {}", run.as_of, run.run_id));
        return Err(Error::wrong_usage(fault.hint("a trend begins on an earlier day, and ends with the run")));
    }
    let mut newest: BTreeMap<Date, &PublishedRun> = BTreeMap::new();
    for known in known.iter().filter(|known| since <= known.as_of && known.as_of < run.as_of) {
        let of_day = newest.entry(known.as_of).or_insert(known);
        if of_day.sequence < known.sequence {
            *of_day = known;
        }
    }
    newest.insert(run.as_of, run);
    Ok(newest.into_values().partition(|run| published::has_table(run, TABLE)))
}

/// Which rows are wanted, sound against the run.
struct Wanted {
    level: Level,
    ref_id: Option<String>,
    /// Empty: all, without their breakdowns.
    indicators: BTreeSet<String>,
}

impl Wanted {
    fn of(run: &PublishedRun, question: &Question) -> Result<Wanted> {
        let rows = Rows::read(run, TABLE, &["indicator_id", "level", "ref_id"])?;
        let (mut places, mut levels) = (Places { run, of_level: BTreeMap::new() }, BTreeMap::new());
        for row in rows.iter() {
            let level = level(&row)?;
            places.of_level.entry(level).or_default().insert(row.text("ref_id")?);
            levels.entry(row.text("indicator_id")?).or_insert_with(BTreeSet::new).insert(level);
        }
        let (level, ref_id) = places.find(question.level, question.ref_id.as_deref())?;
        for id in &question.indicators {
            let Some(known) = levels.get(id.as_str()) else {
                let ids = levels.keys().copied().collect();
                return Err(unknown(format!("there is no indicator `{id}` in run {}", run.run_id), id, &ids));
            };
            if !known.contains(&level) {
                let known: Vec<&str> = known.iter().map(|level| level.name()).collect();
                let fault = Fault::new(format!("`{id}` is not there by {} in run {}", level.name(), run.run_id));
                return Err(Error::wrong_usage(fault.hint(format!("its levels are: {}", known.join(", ")))));
            }
        }
        Ok(Wanted { level, ref_id, indicators: question.indicators.iter().cloned().collect() })
    }

    /// Adds the rows of a run.
    fn read(&self, run: &PublishedRun, found: &mut BTreeMap<String, Vec<IndicatorRow>>) -> Result<()> {
        let definitions = published::definitions(run)?;
        for row in Rows::read(run, TABLE, &COLUMNS)?.iter() {
            let (id, breakdown) = (row.text("indicator_id")?, row.text("breakdown")?);
            let is_named = self.indicators.contains(id);
            let is_wanted = is_named || (self.indicators.is_empty() && breakdown == ALL);
            let is_here = row.text("level")? == self.level.name()
                && self.ref_id.as_deref().is_none_or(|wanted| row.text("ref_id").is_ok_and(|id| id == wanted));
            if is_wanted && is_here {
                let definition = definitions.get(id).cloned();
                found.entry(id.to_string()).or_default().push(IndicatorRow::of(&row, definition)?);
            }
        }
        Ok(())
    }
}

fn level(row: &Row) -> Result<Level> {
    Level::of(row.text("level")?).ok_or_else(|| row.unreadable("level"))
}

/// What a run has rows of, by level.
struct Places<'a> {
    run: &'a PublishedRun,
    of_level: BTreeMap<Level, BTreeSet<&'a str>>,
}

impl Places<'_> {
    /// The level, and the branch or area of it that is meant; None: all of them.
    fn find(&self, level: Option<Level>, ref_id: Option<&str>) -> Result<(Level, Option<String>)> {
        match (level, ref_id) {
            (None, None) => Ok((Level::Bank, Some(BANK.to_string()))),
            (Some(Level::Bank), None) => self.find(Some(Level::Bank), Some(BANK)),
            (Some(level), None) if self.of_level.contains_key(&level) => Ok((level, None)),
            (Some(level), None) => {
                let known: Vec<&str> = self.of_level.keys().map(|level| level.name()).collect();
                let fault = Fault::new(format!("run {} has no indicators by {}", self.run.run_id, level.name()));
                Err(Error::wrong_usage(fault.hint(format!("its levels are: {}", known.join(", ")))))
            }
            (_, Some(ref_id)) => self.find_one(level, ref_id),
        }
    }

    fn find_one(&self, level: Option<Level>, ref_id: &str) -> Result<(Level, Option<String>)> {
        let there = self.of_level.iter().filter(|(_, known)| known.contains(ref_id)).map(|(level, _)| *level);
        let there: Vec<Level> = there.collect();
        let run = &self.run.run_id;
        match (level, there.as_slice()) {
            (Some(level), _) if there.contains(&level) => Ok((level, Some(ref_id.to_string()))),
            (None, &[level]) => Ok((level, Some(ref_id.to_string()))),
            (None, []) => {
                let known = self.of_level.values().flatten().copied().collect();
                Err(unknown(format!("there is no branch or area `{ref_id}` in run {run}"), ref_id, &known))
            }
            (None, several) => {
                let levels: Vec<&str> = several.iter().map(|level| level.name()).collect();
                let fault = Fault::new(format!("`{ref_id}` is there by {} in run {run}", levels.join(" and by ")));
                let options: Vec<String> = levels.iter().map(|level| format!("`--level {level}`")).collect();
                Err(Error::wrong_usage(fault.hint(format!("say which is meant: {}", options.join(" or ")))))
            }
            (Some(level), elsewhere) => {
                let fault = Fault::new(format!("there is no {} `{ref_id}` in run {run}", level.name()));
                let known: Vec<&str> = self.of_level.get(&level).into_iter().flatten().copied().collect();
                Err(Error::wrong_usage(match elsewhere.first() {
                    Some(other) => fault.hint(format!("there is one by {0}: `--level {0}`", other.name())),
                    None if known.is_empty() => fault.hint("the run has none at all"),
                    None => fault.hint(suggestion(ref_id, &known)),
                }))
            }
        }
    }
}

impl IndicatorLines {
    /// `rows` run by run; `periods` the dates of a trend.
    fn of(id: String, rows: Vec<IndicatorRow>, catalogue: &[Indicator], periods: Option<&[&str]>) -> IndicatorLines {
        let known = catalogue.iter().find(|known| known.id == id);
        let mut lines = IndicatorLines {
            indicator_id: id,
            name: known.map(|known| Texts::from(&known.name)),
            dimension: known.map(|known| known.definition.dimension.name()),
            decimals: known.map(|known| known.definition.decimals),
            history: periods.map(|periods| History::of(&rows, periods)),
            rows,
        };
        let breakdown = |row: &IndicatorRow| {
            SEGMENTS.iter().position(|segment| segment.0 == row.breakdown).unwrap_or(SEGMENTS.len())
        };
        lines.rows.sort_by(|one, other| {
            let key = |row: &IndicatorRow| (breakdown(row), row.period.clone());
            one.ref_id.cmp(&other.ref_id).then_with(|| key(one).cmp(&key(other)))
        });
        if periods.is_some() {
            lines.compare();
        }
        lines
    }

    /// Each row against the one before it of the same branch or area and breakdown.
    fn compare(&mut self) {
        let mut before: Option<IndicatorRow> = None;
        for row in &mut self.rows {
            let comparable = before.as_ref().filter(|before| {
                before.ref_id == row.ref_id && before.breakdown == row.breakdown && before.is_of_definition(row)
            });
            let values = comparable.and_then(|before| before.value).zip(row.value);
            row.change = Some(Change(values.map(|(before, value)| value - before)));
            before = Some(row.clone());
        }
    }

    /// The place of its dimension; what the catalogue does not know comes last.
    fn place(&self) -> usize {
        let own = |dimension: &Dimension| self.dimension == Some(dimension.name());
        Dimension::ALL.iter().position(own).unwrap_or(usize::MAX)
    }
}

impl History {
    /// `rows` in the order of the dates.
    fn of(rows: &[IndicatorRow], periods: &[&str]) -> History {
        let mut definitions: Vec<DefinitionFrom> = Vec::new();
        let mut before: Option<&IndicatorRow> = None;
        for row in rows {
            if before.is_none_or(|before| !before.is_of_definition(row)) {
                definitions.push(DefinitionFrom { version: row.version.clone(), period: row.period.clone() });
            }
            before = Some(row);
        }
        let is_without = |period: &&&str| !rows.iter().any(|row| row.period == **period);
        let periods_without = periods.iter().filter(is_without).map(ToString::to_string).collect();
        History { definitions, periods_without }
    }
}

const COLUMNS: [&str; 14] = [
    "indicator_id",
    "version",
    "level",
    "ref_id",
    "breakdown",
    "period",
    "numerator",
    "denominator",
    "value",
    "unit",
    "target",
    "met",
    "status",
    "published_value",
];

impl IndicatorRow {
    fn of(row: &Row, definition: Option<String>) -> Result<IndicatorRow> {
        let period = row.day_if_any("period")?.ok_or_else(|| row.unreadable("period"))?;
        Ok(IndicatorRow {
            version: row.text("version")?.to_string(),
            level: row.text("level")?.to_string(),
            ref_id: row.text("ref_id")?.to_string(),
            breakdown: row.text("breakdown")?.to_string(),
            period: period.to_string(),
            numerator: row.units_if_any("numerator")?.map(Quantity),
            denominator: row.units_if_any("denominator")?.map(Quantity),
            value: row.share_if_any("value")?,
            unit: row.text("unit")?.to_string(),
            target: row.share_if_any("target")?,
            met: row.is_true_if_any("met")?,
            status: row.text("status")?.to_string(),
            published_value: row.share_if_any("published_value")?,
            change: None,
            definition,
        })
    }

    fn is_of_definition(&self, other: &IndicatorRow) -> bool {
        self.version == other.version && self.definition == other.definition
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(period: &str, definition: &str, value: f64) -> IndicatorRow {
        let definition = Some(definition.to_string());
        IndicatorRow {
            version: "1".into(),
            breakdown: ALL.into(),
            period: period.into(),
            value: Some(value),
            definition,
            ..IndicatorRow::default()
        }
    }

    #[test]
    fn another_definition_under_the_same_version_is_noticed() {
        let rows = vec![row("2026-04-30", "a", 0.25), row("2026-05-31", "a", 0.5), row("2026-06-30", "b", 0.75)];
        let periods = ["2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"];
        let lines = IndicatorLines::of("own".into(), rows, &[], Some(&periods));
        let changes: Vec<_> = lines.rows.iter().map(|row| row.change).collect();
        assert_eq!(changes, [Some(Change(None)), Some(Change(Some(0.25))), Some(Change(None))]);
        let history = lines.history.unwrap();
        let from: Vec<&str> = history.definitions.iter().map(|from| from.period.as_str()).collect();
        assert_eq!((from, history.periods_without), (vec!["2026-04-30", "2026-06-30"], vec!["2026-03-31".to_string()]));
    }

    #[test]
    fn quantities_are_exact_and_short() {
        let written = [0, 14_240_000, 485_131, -11_124_413_800, 5_000].map(|units| Quantity(units).to_string());
        assert_eq!(written, ["0", "1,424", "48.5131", "-1,112,441.38", "0.50"]);
    }
}
