//! The text exposition format of Prometheus, read more strictly than the textfile collector reads it: help and type of
//! each name once and before its samples, no series twice, no time of a sample's own, base units in the names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use wellfield::calendar::Date;

type Labels = BTreeMap<String, String>;

/// Samples by metric and labels.
pub struct Exposition(BTreeMap<String, BTreeMap<Labels, f64>>);

impl Exposition {
    /// The samples of a metric; none where it is left out.
    pub fn of(&self, name: &str) -> Vec<(&Labels, f64)> {
        self.0.get(name).into_iter().flatten().map(|(labels, value)| (labels, *value)).collect()
    }

    /// The value of a metric of which there is one sample.
    pub fn single(&self, name: &str) -> f64 {
        let samples = self.of(name);
        assert_eq!(samples.len(), 1, "{name}");
        samples[0].1
    }

    /// The labels of a metric of which there is one sample.
    pub fn only(&self, name: &str) -> &Labels {
        assert_eq!(self.single(name), 1.0);
        self.of(name)[0].0
    }

    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let is_wanted =
            |own: &Labels| labels.iter().all(|(label, text)| own.get(*label).is_some_and(|own| own == text));
        let found: Vec<f64> = self.of(name).iter().filter(|(own, _)| is_wanted(own)).map(|(_, value)| *value).collect();
        assert_eq!(found.len(), 1, "{name} {labels:?}");
        found[0]
    }
}

pub fn parse(text: &str) -> Exposition {
    assert!(text.ends_with('\n'), "the last line is closed");
    let (mut helped, mut typed, mut closed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut open = String::new();
    let mut samples: BTreeMap<String, BTreeMap<Labels, f64>> = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect(line);
            assert!(!help.is_empty() && !help.contains('\\') && helped.insert(name.to_string()), "{line}");
            assert!(closed.insert(std::mem::replace(&mut open, name.to_string())), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect(line);
            assert!(kind == "gauge" && name == open && typed.insert(name.to_string()), "{line}");
        } else {
            let (name, labels, value) = sample(line);
            assert!(name == open && typed.contains(name), "samples stand below their help and type: {line}");
            check_name(name);
            assert!(labels.contains_key("bank"), "one machine may rate several banks: {line}");
            let earlier = samples.entry(name.to_string()).or_default().insert(labels, value);
            assert_eq!(earlier, None, "a series stands twice: {line}");
        }
    }
    assert_eq!((&helped, helped.len()), (&typed, samples.len()), "every name has help, type and samples");
    Exposition(samples)
}

/// Snake case, our prefix, and a base unit where it has a unit.
fn check_name(name: &str) {
    let is_snake = name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
    assert!(name.starts_with("wellfield_") && is_snake, "{name}");
    let has_other_unit = ["milliseconds", "_ms", "minutes", "megabytes", "kilobytes", "percent"];
    assert!(!has_other_unit.iter().any(|unit| name.ends_with(unit)), "{name}");
    assert!(!name.ends_with("_total"), "a gauge is no counter: {name}");
}

/// `name{label="text",…} value`, and nothing after it.
fn sample(line: &str) -> (&str, Labels, f64) {
    let (name, mut rest) = line.split_once('{').expect(line);
    let mut labels = Labels::new();
    loop {
        let (label, after) = rest.split_once("=\"").expect(line);
        let is_label = label.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
        assert!(is_label && !label.is_empty() && !label.starts_with('_'), "{line}");
        let (text, after) = quoted(after, line);
        assert!(labels.insert(label.to_string(), text).is_none(), "a label stands twice: {line}");
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => {
                rest = after.strip_prefix("} ").expect(line);
                break;
            }
        }
    }
    let is_number = rest.chars().all(|letter| letter.is_ascii_digit() || ".-".contains(letter));
    let value: f64 = rest.parse().expect(line);
    assert!(is_number && value.is_finite(), "{line}");
    (name, labels, value)
}

/// The text up to the closing quote, and what follows it.
fn quoted<'t>(text: &'t str, line: &str) -> (String, &'t str) {
    let mut plain = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (plain, &text[at + 1..]),
            '\\' => match letters.next().expect(line).1 {
                'n' => plain.push('\n'),
                other => {
                    assert!("\\\"".contains(other), "`\\{other}` is no escape: {line}");
                    plain.push(other);
                }
            },
            other => plain.push(other),
        }
    }
    panic!("a quote is never closed: {line}");
}

/// Every figure that the manifest has too is the same.
pub fn agree_with_manifest(metrics: &Exposition, manifest: &Value) {
    let number = |value: &Value| value.as_f64().unwrap();
    let info = metrics.only("wellfield_night_info");
    for label in ["run_id", "as_of", "program_version", "bank"] {
        assert_eq!(info[label], manifest[label].as_str().unwrap(), "{label}");
    }
    assert_eq!(info["previous_run"], manifest["previous_run"]["run_id"].as_str().unwrap_or_default());
    let tables = manifest["tables"].as_object().unwrap();
    for (table, counts) in tables {
        for state in ["read", "accepted", "set_aside", "not_yet_known"] {
            let told = metrics.value("wellfield_input_rows", &[("table", table), ("state", state)]);
            assert_eq!(told, number(&counts[state]), "{table} {state}");
        }
    }
    assert_eq!(metrics.of("wellfield_input_rows").len(), 4 * tables.len());
    let outputs = manifest["outputs"].as_object().unwrap();
    for (table, output) in outputs {
        assert_eq!(metrics.value("wellfield_output_rows", &[("table", table)]), number(&output["rows"]), "{table}");
        let bytes: f64 = output["files"].as_array().unwrap().iter().map(|file| number(&file["bytes"])).sum();
        assert_eq!(metrics.value("wellfield_output_bytes", &[("table", table)]), bytes, "{table}");
    }
    assert_eq!(metrics.of("wellfield_output_rows").len(), outputs.len());
    let audit = manifest["audit"].as_array().unwrap();
    let is_passed = |row: &&Value| row["passed"] == true;
    let passed = audit.iter().filter(is_passed).count();
    let told = |outcome| metrics.value("wellfield_audit_checks", &[("outcome", outcome)]);
    assert_eq!(told("passed"), passed as f64);
    assert_eq!(told("allowed"), (audit.len() - passed) as f64);
    assert_eq!((told("failed"), metrics.single("wellfield_audit_passed")), (0.0, 1.0));
    let mut newest: BTreeMap<&str, &str> = BTreeMap::new();
    for input in manifest["inputs"].as_array().unwrap() {
        if let Some(day) = input["newest_row"].as_str() {
            let latest = newest.entry(input["table"].as_str().unwrap()).or_insert(day);
            *latest = day.max(*latest);
        }
    }
    for (table, day) in &newest {
        let told = metrics.value("wellfield_newest_row_timestamp_seconds", &[("table", table)]);
        assert_eq!(told, f64::from(Date::parse(day).unwrap().0) * 86_400.0, "{table}");
    }
    assert_eq!(metrics.of("wellfield_newest_row_timestamp_seconds").len(), newest.len());
}
