//! A comparison as text for people: what differs in what the runs were made from, how many households moved and why,
//! coverage and indicators, and the households that moved. Says nothing that `Comparison` does not hold.

use std::collections::BTreeSet;

use crate::explanation::words::FACT_NAMES;
use crate::explanation::{Amount, Language, grouped};
use crate::listing::page::Page;
use crate::listing::table::{Cell, Table};

use super::coverage::PlaceMoves;
use super::household::{Element, Kind, Moved, Value};
use super::indicators::{IndicatorMove, Measured};
use super::origins::{Differences, InputDifference, Step};
use super::tally::{GradeMoves, Households, LimitMoves};
use super::words::{CAUSES, COUNTS, ELEMENTS, KINDS, LISTS, WHATS};
use super::{Comparison, RunHead};

/// Households and places that are named where not all are asked for.
pub const NAMED: usize = 10;
/// Hexadecimal digits by which a person tells two rulebooks apart.
const DIGITS: usize = 12;

pub fn in_words(comparison: &Comparison, language: Language, all: bool) -> String {
    let mut page = Page::new(language);
    head(&mut page, comparison);
    let households = &comparison.households;
    if comparison.is_still() {
        page.heading(language.pick("Nothing moved.", "无变动。"));
    } else {
        grades(&mut page, households);
        limits(&mut page, households);
        lists(&mut page, households);
        causes(&mut page, households);
        elements(&mut page, households);
    }
    coverage(&mut page, comparison, all);
    indicators(&mut page, comparison, all);
    named(&mut page, comparison, all);
    page.text()
}

fn head(page: &mut Page, comparison: &Comparison) {
    let language = page.language;
    let run = |run: &RunHead| match &run.run_id {
        Some(id) => language.noted(&run.as_of, language.pick(format!("run {id}"), format!("运行{id}"))),
        None => language.noted(&run.as_of, language.pick("not published", "未公布")),
    };
    let (from, to, bank) = (run(&comparison.from), run(&comparison.to), &comparison.bank);
    page.heading(&language.pick(format!("{bank}: from {from} to {to}"), format!("{bank}：从{from}到{to}")));
    differences(page, &comparison.differences);
    let households = &comparison.households;
    let (both, new, gone, moved) = (
        grouped(&households.both.to_string()),
        grouped(&households.new.to_string()),
        grouped(&households.gone.to_string()),
        grouped(&households.moved.to_string()),
    );
    page.labelled(
        language.pick("households", "户"),
        &language.pick(
            format!("{both} in both runs, {moved} of them moved; {new} new, {gone} gone"),
            format!("两次均有{both}户，其中变动{moved}户；新增{new}户，退出{gone}户"),
        ),
    );
    comparison.remarks.iter().for_each(|remark| page.item(language.pick(&remark.en, &remark.zh)));
}

fn differences(page: &mut Page, differences: &Differences) {
    let language = page.language;
    let arrow = |step: &Step<String>| format!("{} → {}", step.from, step.to);
    let short = |digest: &str| digest.chars().take(DIGITS).collect::<String>();
    if let Some(as_of) = &differences.as_of {
        page.labelled(language.pick("as-of date", "数据日期"), &arrow(as_of));
    }
    if let Some(version) = &differences.program_version {
        page.labelled(language.pick("program", "程序版本"), &arrow(version));
    }
    let tables: Vec<String> = differences.inputs.iter().map(|input| input_words(input, language)).collect();
    let settings = differences.bank_settings.then(|| "bank.toml".to_string());
    let inputs: Vec<String> = settings.into_iter().chain(tables).collect();
    let same = || language.pick("the same", "相同").to_string();
    let inputs = if inputs.is_empty() { same() } else { inputs.join(language.pick(", ", "、")) };
    page.labelled(language.pick("input files", "输入文件"), &inputs);
    let rulebook = differences.rulebook.as_ref().map(|step| format!("{} → {}", short(&step.from), short(&step.to)));
    page.labelled(language.pick("rulebook", "制度"), &rulebook.unwrap_or_else(same));
    for version in &differences.versions {
        let day = |head: &Option<crate::read::published::VersionHead>| {
            head.as_ref().map_or_else(|| language.pick("none", "无").to_string(), |head| head.valid_from.clone())
        };
        let (policy, from, to) = (&version.policy, day(&version.from), day(&version.to));
        page.item(
            &language
                .pick(format!("{policy}: version of {from} → version of {to}"), format!("{policy}：{from}版 → {to}版")),
        );
    }
    if let Some(files) = differences.policy_files.as_ref().filter(|files| !files.is_empty()) {
        let files = language.list(files);
        page.item(&language.pick(format!("files that differ: {files}"), format!("内容不同的文件：{files}")));
    }
    let run = |id: &Option<String>| id.clone().unwrap_or_else(|| language.pick("none", "无").to_string());
    let previous = differences.previous_run.as_ref().map(|step| format!("{} → {}", run(&step.from), run(&step.to)));
    page.labelled(language.pick("looks back at", "上次运行"), &previous.unwrap_or_else(same));
}

fn input_words(input: &InputDifference, language: Language) -> String {
    let parts = [
        (input.changed.len(), "changed", "变化"),
        (input.added.len(), "added", "新增"),
        (input.removed.len(), "removed", "减少"),
    ];
    let told = parts.iter().filter(|part| part.0 > 0);
    let told: Vec<String> =
        told.map(|&(count, en, zh)| language.pick(format!("{count} {en}"), format!("{zh}{count}个"))).collect();
    language.noted(&input.table, told.join(language.pick(", ", "，")))
}

fn count(count: u64) -> Cell {
    Cell::Text(grouped(&count.to_string()))
}

fn grades(page: &mut Page, households: &Households) {
    let language = page.language;
    page.heading(language.pick("Grades", "信用等级"));
    let mut table = Table::default()
        .left("")
        .right(language.pick("up", "上调"))
        .right(language.pick("down", "下调"))
        .right(language.pick("became\nrateable", "变为\n可评级"))
        .right(language.pick("no longer\nrateable", "变为\n不可评级"));
    let rows: [(&str, &GradeMoves); 2] = [
        (language.pick("final grade", "最终等级"), &households.final_grade),
        (language.pick("model grade", "模型等级"), &households.model_grade),
    ];
    for (name, moves) in rows {
        let counts = [moves.up, moves.down, moves.became_rateable, moves.no_longer_rateable];
        table.row(std::iter::once(Cell::Text(name.to_string())).chain(counts.map(count)).collect());
    }
    page.table(table);
    for (name, moves) in rows.into_iter().filter(|(_, moves)| !moves.moves.is_empty()) {
        page.table(matrix(language, name, &households.grades, moves));
    }
}

/// Households by the grade before, line by line, and the grade after; those that stayed are not shown.
fn matrix(language: Language, name: &str, scale: &[String], moves: &GradeMoves) -> Table {
    let named: BTreeSet<&String> = moves.moves.iter().flat_map(|flow| [&flow.from, &flow.to]).collect();
    let outside = named.iter().copied().filter(|grade| !scale.contains(grade));
    let grades: Vec<&String> = scale.iter().filter(|grade| named.contains(grade)).chain(outside).collect();
    let title = language.pick(format!("{name}\nfrom \\ to"), format!("{name}\n前 \\ 后"));
    let mut table = grades.iter().fold(Table::default().left(&title), |table, grade| table.right(grade));
    for from in &grades {
        let cells = grades.iter().map(|to| {
            let flow = moves.moves.iter().find(|flow| flow.from == **from && flow.to == **to);
            Cell::Text(flow.map_or_else(String::new, |flow| grouped(&flow.households.to_string())))
        });
        table.row(std::iter::once(Cell::Text((*from).clone())).chain(cells).collect());
    }
    table
}

fn limits(page: &mut Page, households: &Households) {
    let language = page.language;
    page.heading(language.pick("Limits", "授信额度"));
    let mut table = Table::default()
        .left("")
        .right(language.pick("raised", "调高"))
        .right(language.pick("by", "调高金额"))
        .right(language.pick("lowered", "调低"))
        .right(language.pick("by", "调低金额"))
        .right(language.pick("all, before", "合计（前）"))
        .right(language.pick("all, after", "合计（后）"));
    let rows: [(&str, &LimitMoves); 2] = [
        (language.pick("final limit", "最终额度"), &households.final_limit),
        (language.pick("suggested limit", "建议额度"), &households.suggested_limit),
    ];
    let amount = |amount: Amount| Cell::Text(amount.to_string());
    for (name, moves) in rows {
        table.row(vec![
            Cell::Text(name.to_string()),
            count(moves.raised),
            amount(moves.raised_by),
            count(moves.lowered),
            amount(moves.lowered_by),
            amount(moves.total.from),
            amount(moves.total.to),
        ]);
    }
    page.table(table);
}

fn lists(page: &mut Page, households: &Households) {
    let language = page.language;
    let flows = households.credit_list.iter().map(|flow| {
        let (from, to) = (language.word(LISTS, &flow.from), language.word(LISTS, &flow.to));
        format!("{from} → {to} {}", flow.households)
    });
    let flows: Vec<String> = flows.collect();
    if !flows.is_empty() {
        page.heading(language.pick("Credit lists", "名单"));
        page.paragraph(&flows.join(language.pick(", ", "，")));
    }
}

fn causes(page: &mut Page, households: &Households) {
    let language = page.language;
    if households.causes.is_empty() {
        return;
    }
    page.heading(language.pick("Why", "原因"));
    let mut table = Table::default()
        .left(language.pick("cause", "原因"))
        .right(language.pick("households", "户数"))
        .right(language.pick("by it alone", "仅此原因"));
    for cause in &households.causes {
        let name = language.word(CAUSES, cause.cause.name());
        table.row(vec![Cell::Text(name), count(cause.households), count(cause.alone)]);
    }
    page.table(table);
}

fn elements(page: &mut Page, households: &Households) {
    let language = page.language;
    if households.elements.is_empty() {
        return;
    }
    page.heading(language.pick("By what", "变动来源"));
    let mut table = Table::default()
        .left(language.pick("element", "来源"))
        .left(language.pick("what it is", "类别"))
        .right(language.pick("households", "户数"))
        .right(language.pick("points, net", "净得分"));
    for element in households.elements.iter().take(NAMED) {
        let points = element.net_points.map_or_else(String::new, |points| signed(&points.to_string()));
        let (name, what) = (name(language, &element.name), language.word(WHATS, element.what.name()));
        table.row(vec![Cell::Text(name), Cell::Text(what), count(element.households), Cell::Text(points)]);
    }
    page.table(table);
    let names = |counts: &[super::tally::NameCount]| {
        let texts: Vec<String> = counts.iter().map(|count| format!("{} {}", count.name, count.households)).collect();
        texts.join(language.pick(", ", "，"))
    };
    if !households.input_tables.is_empty() {
        page.labelled(language.pick("input tables", "输入表"), &names(&households.input_tables));
    }
    if !households.policies.is_empty() {
        page.labelled(language.pick("policies", "政策"), &names(&households.policies));
    }
}

fn signed(number: &str) -> String {
    if number.starts_with('-') || number == "0" { number.to_string() } else { format!("+{number}") }
}

/// Facts by their own names in English and by what they are called in Chinese.
fn name(language: Language, code: &str) -> String {
    match language {
        Language::Zh if FACT_NAMES.iter().any(|word| word.0 == code) => language.word(FACT_NAMES, code),
        _ => language.word(ELEMENTS, code),
    }
}

fn coverage(page: &mut Page, comparison: &Comparison, all: bool) {
    let language = page.language;
    let coverage = &comparison.coverage;
    if coverage.bank.is_empty() && coverage.branches.is_empty() && coverage.areas.is_empty() {
        return;
    }
    page.heading(language.pick("Coverage", "覆盖"));
    let mut table = Table::default()
        .left(language.pick("bank", "全行"))
        .right(language.pick("before", "前"))
        .right(language.pick("after", "后"))
        .right(language.pick("change", "变动"));
    for moved in &coverage.bank {
        let figure = |value: i64| grouped(&value.to_string());
        table.row(vec![
            Cell::Text(language.word(COUNTS, moved.count)),
            Cell::Text(figure(moved.from)),
            Cell::Text(figure(moved.to)),
            Cell::Text(signed(&figure(moved.to - moved.from))),
        ]);
    }
    if !coverage.bank.is_empty() {
        page.table(table);
    }
    places(page, language.pick("branches", "网点"), &coverage.branches, all);
    places(page, language.pick("areas", "行政区"), &coverage.areas, all);
}

/// Counts of a branch or an area that a line has room for.
const SHOWN: [&str; 6] = ["households", "profiled", "graded", "white", "granted", "visited_12m"];

fn places(page: &mut Page, title: &str, places: &[PlaceMoves], all: bool) {
    let language = page.language;
    let shown = if all { places.len() } else { NAMED };
    if places.is_empty() {
        return;
    }
    let titles =
        SHOWN.map(|count| language.word(COUNTS, count).replace(" in 12 months", "\n12 mo.").replace("近12个月", ""));
    let table = titles.iter().fold(Table::default().left(title), |table, title| table.right(title));
    let mut table = table;
    for place in places.iter().take(shown) {
        let cells = SHOWN.map(|count| {
            let moved = place.counts.iter().find(|moved| moved.count == count);
            let figure = |value: i64| grouped(&value.to_string());
            Cell::Text(moved.map_or_else(String::new, |moved| {
                format!("{} {}", figure(moved.to), signed(&figure(moved.to - moved.from)))
            }))
        });
        table.row(std::iter::once(Cell::Text(place.id.clone())).chain(cells).collect());
    }
    page.table(table);
    more(page, title, places.len().saturating_sub(shown));
}

fn more(page: &mut Page, what: &str, count: usize) {
    if count > 0 {
        let text = page
            .language
            .pick(format!("{count} more {what}; `--all` names them"), format!("另有{count}项{what}，用`--all`列出"));
        page.paragraph(&text);
    }
}

fn indicators(page: &mut Page, comparison: &Comparison, all: bool) {
    let language = page.language;
    let bank = comparison.indicators.bank.iter().filter(|moved| all || moved.breakdown == "all");
    let bank: Vec<&IndicatorMove> = bank.filter(|moved| is_seen(moved)).collect();
    if !bank.is_empty() {
        page.heading(language.pick("Indicators of the bank", "全行指标"));
        let mut table = Table::default()
            .left(language.pick("indicator", "指标"))
            .right(language.pick("before", "前"))
            .right(language.pick("after", "后"))
            .left(language.pick("parts before", "分子/分母（前）"))
            .left(language.pick("parts after", "分子/分母（后）"));
        for moved in bank {
            let (from, to) = (moved.step.from.as_ref(), moved.step.to.as_ref());
            let texts =
                [indicator_name(moved, language), figure(moved, from), figure(moved, to), parts(from), parts(to)];
            table.row(texts.into_iter().map(Cell::Text).collect());
        }
        page.table(table);
    }
    let shares: Vec<&IndicatorMove> =
        comparison.indicators.branches.iter().filter(|moved| moved.is_share() && is_seen(moved)).take(NAMED).collect();
    if !shares.is_empty() {
        page.heading(language.pick("Shares of branches that went farthest", "网点变动最大的占比指标"));
    }
    for moved in shares {
        let (from, to) = (moved.step.from.as_ref(), moved.step.to.as_ref());
        let name = indicator_name(moved, language);
        let (before, after) = (figure(moved, from), figure(moved, to));
        let (part, other) = (parts(from), parts(to));
        page.item(&language.pick(
            format!("{name} {before} → {after}: {part} → {other}"),
            format!("{name} {before} → {after}：{part} → {other}"),
        ));
    }
}

/// Whether a person sees the move in the digits that are shown.
fn is_seen(moved: &IndicatorMove) -> bool {
    let (from, to) = (moved.step.from.as_ref(), moved.step.to.as_ref());
    figure(moved, from) != figure(moved, to) || parts(from) != parts(to)
}

fn indicator_name(moved: &IndicatorMove, language: Language) -> String {
    let own = match (&moved.name, language) {
        (Some(name), Language::Zh) => name.zh.clone(),
        _ => moved.indicator_id.clone(),
    };
    let place = if moved.ref_id == crate::indicators::BANK { String::new() } else { format!(" {}", moved.ref_id) };
    let breakdown = if moved.breakdown == "all" { String::new() } else { format!(" {}", moved.breakdown) };
    format!("{own}{place}{breakdown}")
}

/// The value; a share in percent. Its status where there is none.
fn figure(moved: &IndicatorMove, measured: Option<&Measured>) -> String {
    let Some(measured) = measured else { return "–".to_string() };
    let Some(value) = measured.value else { return measured.status.clone() };
    let decimals = moved.decimals.unwrap_or(4) as usize;
    match moved.is_share() {
        true => format!("{:.digits$}%", value * 100.0, digits = decimals.saturating_sub(2)),
        false => grouped(&format!("{value:.decimals$}")),
    }
}

fn parts(measured: Option<&Measured>) -> String {
    let parts = measured.and_then(|measured| measured.numerator.zip(measured.denominator));
    parts.map_or_else(String::new, |(numerator, denominator)| format!("{numerator} / {denominator}"))
}

fn named(page: &mut Page, comparison: &Comparison, all: bool) {
    let language = page.language;
    let limit = if all { usize::MAX } else { NAMED };
    for (kind, word) in Kind::ALL.into_iter().zip(KINDS) {
        let households: Vec<&Moved> =
            comparison.moved.iter().filter(|moved| moved.kinds.contains(&kind)).take(limit).collect();
        if households.is_empty() {
            continue;
        }
        page.heading(language.pick(word.1, word.2));
        households.iter().for_each(|moved| household(page, moved, kind));
    }
    let ids = [
        (language.pick("New", "新增"), &comparison.new_households),
        (language.pick("Gone", "退出"), &comparison.gone_households),
    ];
    for (title, ids) in ids {
        if !ids.is_empty() {
            page.heading(title);
            let shown: Vec<&str> = ids.iter().take(limit).map(String::as_str).collect();
            page.paragraph(&shown.join(language.pick(", ", "、")));
        }
    }
}

fn household(page: &mut Page, moved: &Moved, kind: Kind) {
    let language = page.language;
    let word = |step: &Option<Step<String>>| step.as_ref().map(|step| format!("{} → {}", step.from, step.to));
    let amount = |step: &Option<Step<Amount>>| step.as_ref().map(|step| format!("{} → {}", step.from, step.to));
    let step = match kind {
        Kind::Up | Kind::Down | Kind::BecameRateable | Kind::NoLongerRateable => word(&moved.final_grade),
        Kind::ModelGradeOnly => word(&moved.model_grade),
        Kind::LimitRaised | Kind::LimitLowered => amount(&moved.final_limit),
        Kind::SuggestedLimitOnly => amount(&moved.suggested_limit),
        Kind::List => moved
            .credit_list
            .as_ref()
            .map(|step| format!("{} → {}", language.word(LISTS, &step.from), language.word(LISTS, &step.to))),
    };
    let causes: Vec<String> = moved.causes.iter().map(|cause| language.word(CAUSES, cause.name())).collect();
    // A fact that counts both by its points and by itself is told once.
    let is_told = |element: &Element| {
        let by_points = |other: &&Element| other.points.is_some() && other.name == element.name;
        element.points.is_some() || !moved.elements.iter().any(|other| by_points(&other))
    };
    let elements = moved.elements.iter().filter(|element| is_told(element));
    let elements: Vec<String> = elements.map(|element| element_words(language, element)).collect();
    let elements = language.list(&elements);
    let told = language.noted(step.unwrap_or_default(), causes.join(language.pick(", ", "、")));
    let why = if elements.is_empty() {
        String::new()
    } else {
        language.pick(format!("; {elements}"), format!("；{elements}"))
    };
    page.item(
        &language.pick(format!("{}  {told}{why}", moved.household_id), format!("{}  {told}{why}", moved.household_id)),
    );
}

/// `on_time_share_24m 0.97 → 0.91: 15 → 11 points`.
fn element_words(language: Language, element: &Element) -> String {
    let value = |value: &Option<Value>| match value {
        Some(Value::Figure(figure)) => figure.to_string(),
        Some(Value::Word(word)) => word.clone(),
        None => "–".to_string(),
    };
    let name = name(language, &element.name);
    let step = match (&element.from, &element.to) {
        (None, None) => name,
        (from, to) if from == to => format!("{name} {}", value(from)),
        (from, to) => format!("{name} {} → {}", value(from), value(to)),
    };
    match &element.points {
        Some(points) => {
            let points = format!("{} → {}", points.from, points.to);
            language.pick(format!("{step}: {points} points"), format!("{step}：{points}分"))
        }
        None => step,
    }
}
