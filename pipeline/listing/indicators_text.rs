//! The indicators of a run as text: of one place by dimension, of a level or a trend indicator by indicator. What is not
//! met, not published or not there is said beside its figure. Says nothing that `Indicators` does not hold.

use crate::definitions::{Texts, dimension_in_words, level_in_words};
use crate::explanation::{Language, grouped};
use crate::indicators::BANK;
use crate::layout::{LINE_WIDTH, left, width, wrap};
use crate::rulebook::indicators::{Dimension, Level};

use super::indicators::{ALL, Change, IndicatorLines, IndicatorRow, Indicators, Trend};
use super::page::Page;
use super::table::{Cell, Table, marked};
use super::words::{INDICATOR_UNITS, SEGMENTS, STATUSES};

/// Columns of the names of indicators: at least, and at most.
const NAMES: (usize, usize) = (16, 44);
/// What stands before a table, and between two columns.
const BETWEEN: usize = 2;
/// Shown where there is nothing to compare.
const NOTHING: &str = "–";
/// Digits after the point where the catalogue no longer says how many.
const DIGITS: usize = 6;
/// The unit that a person reads in percent.
const SHARE: &str = "share";

pub fn in_words(answer: &Indicators, language: Language) -> String {
    let mut page = Page::new(language);
    head(&mut page, answer);
    if answer.ref_id.is_some() && answer.trend.is_none() {
        by_dimension(&mut page, answer);
        page.heading(language.pick(
            "`wellfield rule ID` prints a definition; `--id ID` adds the segments, `--since DATE` the trend.",
            "定义见 `wellfield rule 指标`；`--id 指标` 列示各客群，`--since 日期` 列示趋势。",
        ));
    } else {
        by_indicator(&mut page, answer);
    }
    if let Some(trend) = &answer.trend {
        notes(&mut page, answer, trend);
    }
    page.text()
}

fn head(page: &mut Page, answer: &Indicators) {
    let language = page.language;
    let (as_of, run) = (&answer.run.as_of, &answer.run.run_id);
    let level = pick(language, Level::of(&answer.level).map(level_in_words), &answer.level);
    let of = match answer.ref_id.as_deref() {
        Some(BANK) => language.pick("the bank".to_string(), level),
        Some(id) => language.pick(format!("{level} {id}"), format!("{level}{id}")),
        None => language.pick(format!("every {level}"), format!("各{level}")),
    };
    page.heading(&match &answer.trend {
        None => language.pick(
            format!("Indicators of {of}, as of {as_of} (run {run})"),
            format!("{of}指标，数据日期{as_of}（运行{run}）"),
        ),
        Some(Trend { since, .. }) => language.pick(
            format!("Indicators of {of}, from {since} to {as_of} (run {run})"),
            format!("{of}指标，{since}至{as_of}（运行{run}）"),
        ),
    });
    for sentence in legend(answer, language) {
        page.paragraph(sentence);
    }
}

/// What the marks and words mean that occur.
fn legend(answer: &Indicators, language: Language) -> Vec<&'static str> {
    let rows = || answer.indicators.iter().flat_map(|lines| &lines.rows);
    let has_status = |status: &str| rows().any(|row| row.status == status);
    let sentences = [
        (answer.indicators.is_empty(), ("The run has no indicators.", "该运行无指标。")),
        (rows().any(|row| row.met == Some(false)), ("! marks a target that is not met.", "! 表示未达目标。")),
        (
            has_status("Q"),
            (
                "Not published: a value that stays in the bank, for it would tell of few households.",
                "不予公布：涉及户数过少，指标值不得对外提供。",
            ),
        ),
        (
            has_status("L"),
            (
                "Not collected: a table or figure that the value is made of is not there.",
                "未采集：缺少计算所需的数据表或数据。",
            ),
        ),
        (has_status("M"), ("Cannot exist: there is nothing to take it of.", "无法计算：分母为零或无观测值。")),
        (
            answer.trend.is_some(),
            (
                "Change: against the date before; of shares in percentage points.",
                "变动：与前一日期相比；占比类为百分点。",
            ),
        ),
    ];
    let said = sentences.into_iter().filter(|(occurs, _)| *occurs);
    said.map(|(_, (en, zh))| language.pick(en, zh)).collect()
}

/// One table for each dimension, indicators below one another.
fn by_dimension(page: &mut Page, answer: &Indicators) {
    let language = page.language;
    for group in answer.indicators.chunk_by(|one, other| one.dimension == other.dimension) {
        page.heading(&dimension(language, group));
        let rows: Vec<Line> = group.iter().flat_map(Line::all).collect();
        let mut columns = vec![Column::segments(language, &rows)];
        columns.extend(figures(language, &rows));
        page.table(with_names(language, group, shown(columns)));
    }
}

/// One table for each indicator: branches or areas below one another, and dates.
fn by_indicator(page: &mut Page, answer: &Indicators) {
    let language = page.language;
    let level = pick(language, Level::of(&answer.level).map(level_in_words), &answer.level);
    for lines in &answer.indicators {
        let id = &lines.indicator_id;
        let dimension = dimension(language, std::slice::from_ref(lines));
        let title = match &lines.name {
            Some(name) => language.noted(language.pick(&name.en, &name.zh), id),
            None => id.clone(),
        };
        page.heading(&language.pick(format!("{dimension}: {title}"), format!("{dimension}：{title}")));
        let rows: Vec<Line> = Line::all(lines).collect();
        let mut columns = Vec::new();
        if answer.ref_id.is_none() {
            columns.push(Column::left(&level, rows.iter().map(|line| line.row.ref_id.clone())));
        }
        columns.push(Column::segments(language, &rows));
        if answer.trend.is_some() {
            columns.iter_mut().for_each(Column::say_once);
            let dates = rows.iter().map(|line| line.row.period.clone());
            columns.push(Column::left(language.pick("date", "日期"), dates));
        }
        columns.extend(figures(language, &rows));
        let columns = shown(columns);
        let mut table = columns.iter().fold(Table::default(), |table, column| column.add_to(table));
        (0..rows.len()).for_each(|row| table.row(columns.iter().map(|column| column.cell(row)).collect()));
        page.table(table);
    }
}

fn dimension(language: Language, group: &[IndicatorLines]) -> String {
    let dimension = group.first().and_then(|lines| Dimension::of(lines.dimension?));
    let word = dimension.map(dimension_in_words);
    match (language, word) {
        (Language::En, Some(word)) => {
            let mut letters = word.en.chars();
            letters.next().map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), letters.as_str()))
        }
        (Language::Zh, Some(word)) => word.zh,
        (_, None) => language.pick("Not in the catalogue any more", "指标目录已无").to_string(),
    }
}

fn pick(language: Language, word: Option<Texts>, code: &str) -> String {
    word.map_or_else(|| code.to_string(), |word| language.pick(word.en, word.zh))
}

/// One row with the indicator that it is of.
struct Line<'a> {
    decimals: Option<u32>,
    row: &'a IndicatorRow,
}

impl<'a> Line<'a> {
    fn all(lines: &'a IndicatorLines) -> impl Iterator<Item = Line<'a>> {
        lines.rows.iter().map(|row| Line { decimals: lines.decimals, row })
    }

    /// A figure in the unit of the value: shares in percent.
    fn figure(&self, value: f64) -> String {
        let is_share = self.row.unit == SHARE;
        let value = if is_share { value * 100.0 } else { value };
        let text = match self.decimals.map(|decimals| decimals as usize) {
            Some(decimals) => {
                let digits = decimals.saturating_sub(if is_share { 2 } else { 0 });
                format!("{value:.digits$}")
            }
            None => format!("{value:.DIGITS$}").trim_end_matches('0').trim_end_matches('.').to_string(),
        };
        let is_zero = !text.contains(|letter: char| ('1'..='9').contains(&letter));
        grouped(if is_zero { text.trim_start_matches('-') } else { &text })
    }

    fn change(&self, Change(change): Change) -> String {
        match change.map(|change| self.figure(change)) {
            None => NOTHING.to_string(),
            Some(text) if text.starts_with('-') || !text.contains(|letter: char| ('1'..='9').contains(&letter)) => text,
            Some(text) => format!("+{text}"),
        }
    }
}

/// One column before it is known whether it is shown.
struct Column {
    title: String,
    is_left: bool,
    cells: Vec<String>,
}

impl Column {
    fn left(title: &str, cells: impl Iterator<Item = String>) -> Column {
        Column { title: title.to_string(), is_left: true, cells: cells.collect() }
    }

    fn right(title: &str, cells: impl Iterator<Item = String>) -> Column {
        Column { title: title.to_string(), is_left: false, cells: cells.collect() }
    }

    /// Empty where nothing is broken down.
    fn segments(language: Language, rows: &[Line]) -> Column {
        let is_broken_down = rows.iter().any(|line| line.row.breakdown != ALL);
        let segment = |line: &Line| match is_broken_down {
            true => language.word(SEGMENTS, &line.row.breakdown),
            false => String::new(),
        };
        Column::left(language.pick("segment", "客群"), rows.iter().map(segment))
    }

    /// Leaves out what the row above says already.
    fn say_once(&mut self) {
        let mut above: Option<String> = None;
        for cell in &mut self.cells {
            let is_same = above.as_ref() == Some(cell);
            above = Some(cell.clone());
            if is_same {
                cell.clear();
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }

    fn width(&self) -> usize {
        self.cells.iter().map(String::as_str).chain(self.title.split('\n')).map(width).max().unwrap_or(0)
    }

    fn add_to(&self, table: Table) -> Table {
        if self.is_left { table.left(&self.title) } else { table.right(&self.title) }
    }

    fn cell(&self, row: usize) -> Cell {
        Cell::Text(self.cells.get(row).cloned().unwrap_or_default())
    }
}

fn shown(columns: Vec<Column>) -> Vec<Column> {
    columns.into_iter().filter(|column| !column.is_empty()).collect()
}

/// Value, change, parts, target and remark of each row.
fn figures(language: Language, rows: &[Line]) -> Vec<Column> {
    let unit = |line: &Line| language.word(INDICATOR_UNITS, &line.row.unit);
    let units = rows.iter().map(|line| width(&unit(line))).max().filter(|units| *units > 0);
    // The unit has its own place, so that figures stay in line.
    let with_unit = |text: String, unit: &str| match units {
        Some(units) => format!("{text} {}", left(unit, units)),
        None => text,
    };
    let value = |line: &Line| match line.row.value {
        Some(value) => with_unit(line.figure(value), &unit(line)),
        None => with_unit(language.word(STATUSES, &line.row.status), ""),
    };
    let change = |line: &Line| line.row.change.map_or_else(String::new, |change| line.change(change));
    let target = |line: &Line| {
        let target = line.row.target.map(|target| marked(&line.figure(target), line.row.met == Some(false)));
        target.unwrap_or_default()
    };
    let remark = |line: &Line| match line.row.value {
        Some(_) => language.word(STATUSES, &line.row.status),
        None => String::new(),
    };
    let quantity =
        |quantity: Option<super::indicators::Quantity>| quantity.map_or_else(String::new, |it| it.to_string());
    vec![
        Column::right(&with_unit(language.pick("value", "指标值").into(), ""), rows.iter().map(value)),
        Column::right(language.pick("change", "变动"), rows.iter().map(change)),
        Column::right(language.pick("numerator", "分子"), rows.iter().map(|line| quantity(line.row.numerator))),
        Column::right(language.pick("denominator", "分母"), rows.iter().map(|line| quantity(line.row.denominator))),
        Column::right(language.pick("target  ", "目标  "), rows.iter().map(target)),
        Column::left("", rows.iter().map(remark)),
    ]
}

/// A table whose rows begin with the indicator's name and, below it, its id.
fn with_names(language: Language, group: &[IndicatorLines], columns: Vec<Column>) -> Table {
    let others = columns.iter().map(|column| column.width() + BETWEEN).sum::<usize>() + BETWEEN;
    let room = LINE_WIDTH.saturating_sub(others).clamp(NAMES.0, NAMES.1);
    let table = Table::default().left(language.pick("indicator", "指标"));
    let mut table = columns.iter().fold(table, |table, column| column.add_to(table));
    let mut first = 0;
    for lines in group {
        let name = lines.name.as_ref().map(|name| language.pick(&name.en, &name.zh));
        let mut names: Vec<String> = name.into_iter().flat_map(|name| wrap(name, room)).collect();
        names.extend(wrap(&lines.indicator_id, room));
        for line in 0..names.len().max(lines.rows.len()) {
            let name = Cell::Text(names.get(line).cloned().unwrap_or_default());
            let cell = |column: &Column| match line < lines.rows.len() {
                true => column.cell(first + line),
                false => Cell::Text(String::new()),
            };
            table.row(std::iter::once(name).chain(columns.iter().map(cell)).collect());
        }
        first += lines.rows.len();
    }
    table
}

/// What stands in the way of comparing the dates.
fn notes(page: &mut Page, answer: &Indicators, trend: &Trend) {
    let language = page.language;
    let mut notes: Vec<String> = Vec::new();
    if let ([only], []) = (trend.runs.as_slice(), trend.runs_without_indicators.as_slice()) {
        let since = &trend.since;
        notes.push(language.pick(
            format!("Since {since} one run is published only, as of {}: nothing to compare with.", only.as_of),
            format!("{since}以来仅有数据日期{}的一次运行，无可比较。", only.as_of),
        ));
    }
    notes.extend(trend.runs_without_indicators.iter().map(|run| {
        let (as_of, run) = (&run.as_of, &run.run_id);
        language.pick(
            format!("{as_of}: run {run} has no indicators; it is of an earlier version of the program."),
            format!("{as_of}：运行{run}无指标，由较早版本程序生成。"),
        )
    }));
    for lines in &answer.indicators {
        let (id, Some(history)) = (&lines.indicator_id, &lines.history) else { continue };
        if history.definitions.len() > 1 {
            let listed = history.definitions.iter().map(|from| {
                let (version, period) = (&from.version, &from.period);
                language.pick(format!("version {version} from {period}"), format!("{period}起版本{version}"))
            });
            let listed = listed.collect::<Vec<_>>().join(language.pick(", ", "，"));
            notes.push(language.pick(
                format!(
                    "{id}: the definition has changed ({listed}); the values are not of one definition, and no \
                         change is told from one to the other."
                ),
                format!("{id}：定义已变更（{listed}）；各值口径不一，变更处不列变动。"),
            ));
        }
        if !history.periods_without.is_empty() {
            let listed = language.list(&history.periods_without);
            notes.push(language.pick(format!("{id}: no row on {listed}."), format!("{id}：{listed}无数据。")));
        }
    }
    if !notes.is_empty() {
        page.heading(language.pick("Notes", "说明"));
        notes.iter().for_each(|note| page.item(note));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(unit: &str) -> IndicatorRow {
        IndicatorRow { unit: unit.into(), ..IndicatorRow::default() }
    }

    #[test]
    fn figures_are_written_with_their_digits() {
        let written = |unit: &str, decimals: Option<u32>, value: f64| Line { decimals, row: &row(unit) }.figure(value);
        assert_eq!(written("share", Some(4), 0.123_456), "12.35");
        assert_eq!(written("share", Some(1), 0.5), "50");
        assert_eq!(written("currency", Some(2), -1_234_567.891), "-1,234,567.89");
        assert_eq!(written("m", Some(0), 999.6), "1,000");
        assert_eq!(written("index", Some(4), -0.000_01), "0.0000", "nothing is less than nothing");
        assert_eq!(written("share", None, 0.5), "50", "a unit is known where the digits are not");
        assert_eq!(written("index", None, 0.25), "0.25");
    }

    #[test]
    fn changes_bear_their_sign() {
        let share = row("share");
        let line = Line { decimals: Some(4), row: &share };
        let written = [None, Some(0.01), Some(-0.01), Some(0.0)].map(|change| line.change(Change(change)));
        assert_eq!(written, ["–", "+1.00", "-1.00", "0.00"]);
    }
}
