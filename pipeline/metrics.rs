//! The night as Prometheus reads it: the text exposition format, for the textfile collector of a node exporter. Every
//! series bears the bank, so that one machine can rate several. Leaves the writing to `publish`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::audit::AuditRow;
use crate::calendar::Date;
use crate::report::{NightReport, Outcome};
use crate::watch::Moment;

/// Labels of one sample beside the bank, and its value.
type Sample<'r> = (Vec<(&'static str, &'r str)>, String);

/// The page; samples carry no time of their own, which the textfile collector refuses.
pub fn text(report: &NightReport) -> String {
    let mut page = Page { bank: &report.bank, text: String::new() };
    night(&mut page, report);
    stages(&mut page, report);
    rows(&mut page, report);
    audit(&mut page, &report.audit);
    page.text
}

fn night(page: &mut Page, report: &NightReport) {
    let exit_code = report.outcome.exit_code();
    page.single("night_exit_code", "Exit code of the last night, 0 where it went well.", exit_code.to_string());
    let is_published = !matches!(report.outcome, Outcome::Failed { .. });
    page.single("night_published", "1 where the run of the last night stands published, else 0.", truth(is_published));
    let as_of = report.as_of.to_string();
    let labels = vec![
        ("run_id", report.run_id.as_deref().unwrap_or_default()),
        ("as_of", as_of.as_str()),
        ("previous_run", report.previous_run.as_ref().map_or("", |run| run.run_id.as_str())),
        ("program_version", report.program_version.as_str()),
        ("outcome", report.outcome.name()),
    ];
    page.family("night_info", "What the last night was.", vec![(labels, "1".to_string())]);
    page.single("as_of_timestamp_seconds", "The as-of day of the last night.", midnight(report.as_of));
    let (started, ended) = (report.started, report.ended.max(report.started));
    page.single("night_start_timestamp_seconds", "When the last night began.", seconds(started));
    let duration = seconds(Moment(ended.0.saturating_sub(started.0)));
    page.single("night_duration_seconds", "How long the last night took.", duration);
}

fn stages(page: &mut Page, report: &NightReport) {
    let of = |value: &dyn Fn(&crate::watch::StageCost) -> Option<String>| {
        let samples =
            report.stages.iter().filter_map(|cost| Some((vec![("stage", cost.stage.as_str())], value(cost)?)));
        samples.collect::<Vec<_>>()
    };
    let durations = of(&|cost| Some(cost.seconds.to_string()));
    page.family("stage_duration_seconds", "How long each stage took.", durations);
    let rows = of(&|cost| Some(cost.rows.to_string()));
    page.family("stage_rows", "Rows that each stage made, or read where it only reads.", rows);
    let memory = of(&|cost| cost.peak_memory_bytes.map(|bytes| bytes.to_string()));
    page.family("stage_peak_memory_bytes", "The most memory that was held up to the end of each stage.", memory);
}

fn rows(page: &mut Page, report: &NightReport) {
    let mut inputs: Vec<Sample> = Vec::new();
    for (table, counts) in &report.tables {
        let states = [
            ("read", counts.read),
            ("accepted", counts.accepted),
            ("set_aside", counts.set_aside),
            ("not_yet_known", counts.not_yet_known),
        ];
        inputs
            .extend(states.map(|(state, rows)| (vec![("table", table.as_str()), ("state", state)], rows.to_string())));
    }
    let help = "Rows of each input table: read = accepted + set_aside + not_yet_known.";
    page.family("input_rows", help, inputs);
    let newest = newest_rows(report).into_iter().map(|(table, day)| (vec![("table", table)], midnight(day)));
    page.family("newest_row_timestamp_seconds", "The own day of the newest known row of each table.", newest.collect());
    let outputs = report.outputs.iter().map(|(table, entry)| (vec![("table", table.as_str())], entry.rows.to_string()));
    page.family("output_rows", "Rows of each output table.", outputs.collect());
    let bytes = report.outputs.iter().map(|(table, entry)| {
        let bytes: u64 = entry.files.iter().map(|file| file.bytes).sum();
        (vec![("table", table.as_str())], bytes.to_string())
    });
    page.family("output_bytes", "Bytes of each output table.", bytes.collect());
}

/// The newest row of each table over all its files.
fn newest_rows(report: &NightReport) -> BTreeMap<&str, Date> {
    let mut newest = BTreeMap::new();
    for entry in &report.inputs {
        if let Some(day) = entry.newest_row.as_deref().and_then(Date::parse) {
            let latest = newest.entry(entry.table.as_str()).or_insert(day);
            *latest = day.max(*latest);
        }
    }
    newest
}

/// Nothing is said of an audit that did not come to pass.
fn audit(page: &mut Page, checks: &[AuditRow]) {
    if checks.is_empty() {
        return;
    }
    let count = |is_wanted: fn(&AuditRow) -> bool| checks.iter().filter(|check| is_wanted(check)).count();
    let failed = count(|check| !check.passed && !check.allowed);
    let outcomes = [
        ("passed", count(|check| check.passed)),
        ("failed", failed),
        ("allowed", count(|check| !check.passed && check.allowed)),
    ];
    let samples = outcomes.map(|(outcome, checks)| (vec![("outcome", outcome)], checks.to_string()));
    page.family("audit_checks", "Checks of the audit by what came of them.", samples.to_vec());
    page.single("audit_passed", "1 where no check failed but those that were allowed to, else 0.", truth(failed == 0));
}

struct Page<'r> {
    bank: &'r str,
    text: String,
}

impl Page<'_> {
    /// A gauge of the whole night.
    fn single(&mut self, name: &str, help: &str, value: String) {
        self.family(name, help, vec![(Vec::new(), value)]);
    }

    /// A gauge with its samples; left out where there are none.
    fn family(&mut self, name: &str, help: &str, samples: Vec<Sample>) {
        if samples.is_empty() {
            return;
        }
        let _ = write!(self.text, "# HELP wellfield_{name} {help}\n# TYPE wellfield_{name} gauge\n");
        for (labels, value) in samples {
            let _ = write!(self.text, "wellfield_{name}{{bank=\"{}\"", escaped(self.bank));
            for (label, text) in labels {
                let _ = write!(self.text, ",{label}=\"{}\"", escaped(text));
            }
            let _ = writeln!(self.text, "}} {value}");
        }
    }
}

/// A label's value: backslash, quote and line feed are written with a backslash.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn truth(is_true: bool) -> String {
    u8::from(is_true).to_string()
}

fn midnight(day: Date) -> String {
    (i64::from(day.0) * 86_400).to_string()
}

/// Microseconds as seconds, exactly.
fn seconds(moment: Moment) -> String {
    format!("{}.{:06}", moment.0.div_euclid(1_000_000), moment.0.rem_euclid(1_000_000))
}
