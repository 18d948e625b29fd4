//! What a night tells those who schedule and watch it, whatever comes of it: OpenLineage events, Prometheus metrics and
//! JSON log lines. Each night here is run with all three; their forms are checked strictly and by hand, their figures
//! against the manifest.

mod events;
mod exposition;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use wellfield::calendar::Date;
use wellfield::contract::Contracts;
use wellfield::report::{NightReport, Outcome};
use wellfield::watch::{Moment, STAGES};
use wellfield::{lineage, metrics};

use self::exposition::Exposition;
use crate::support::program;
use crate::support::scratch::{Scratch, scratch};
use crate::support::{copy_folder, files_below, read, repository};

const AS_OF: &str = "2026-06-30";
const BANK: &str = "sample-data/bank";
const MINI: &str = "sample-data/mini";

/// A night and everything that it told.
struct Told {
    outcome: program::Outcome,
    start: Value,
    end: Value,
    metrics: Exposition,
    log: Vec<Value>,
}

/// Runs a night in a folder; what it tells is read back and must be in form.
fn told(bank: &Path, folder: &Path, arguments: &[&str]) -> Told {
    let (metrics, lineage) = (folder.join("night.prom"), folder.join("night.ndjson"));
    let runs = folder.join("runs");
    let [metrics_shown, lineage_shown, runs] = [&metrics, &lineage, &runs].map(|path| path.to_str().unwrap());
    let asked = ["--out", runs, "--metrics", metrics_shown, "--lineage", lineage_shown, "--log", "json"];
    let outcome = program::nightly(bank, AS_OF, &[&asked[..], arguments].concat());
    let (start, end) = events::read(&read(&lineage));
    let log = outcome.stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let told = Told { metrics: exposition::parse(&read(&metrics)), outcome, start, end, log };
    told.agrees_with_itself();
    told
}

impl Told {
    /// What must hold of every night: all three tell of the same one.
    fn agrees_with_itself(&self) {
        let exit = self.outcome.exit;
        let night = &self.end["run"]["facets"]["wellfield_night"];
        assert_eq!(night["exit_code"], exit);
        assert_eq!(night["as_of"], AS_OF);
        assert_eq!(self.end["eventType"], if exit == 0 { "COMPLETE" } else { "FAIL" });
        assert_eq!(self.metrics.single("wellfield_night_exit_code"), f64::from(exit));
        assert_eq!(self.metrics.single("wellfield_night_published"), f64::from(u8::from(exit == 0)));
        let info = self.metrics.only("wellfield_night_info");
        assert_eq!(info["run_id"], night["run_id"].as_str().unwrap_or_default());
        assert_eq!(info["outcome"], night["outcome"].as_str().unwrap());
        assert_eq!(self.end["job"]["name"], format!("nightly.{}", info["bank"]));
        self.logs_in_form(night["run_id"].as_str());
    }

    /// Every line has its run and stage; the faults say how the night ended.
    fn logs_in_form(&self, run_id: Option<&str>) {
        for line in &self.log {
            assert!(line["event"].is_string(), "{line}");
            assert!(line["stage"].as_str().is_none_or(|stage| STAGES.contains(&stage)), "{line}");
            let is_ours = line["run_id"].is_null() || line["run_id"].as_str() == run_id;
            assert!(is_ours && line.get("run_id").is_some() && line.get("stage").is_some(), "{line}");
        }
        for fault in self.logged("fault") {
            assert_eq!(fault["exit_code"], self.outcome.exit);
            assert!(fault["message"].is_string() && fault["causes"].is_array(), "{fault}");
            assert!(fault["hint"].is_string() || fault["hint"].is_null(), "{fault}");
        }
        let failed = self.outcome.exit != 0;
        assert_eq!(!self.logged("fault").is_empty(), failed, "{}", self.outcome.stderr);
        assert_eq!(self.end["run"]["facets"].get("errorMessage").is_some(), failed);
    }

    fn logged(&self, event: &str) -> Vec<&Value> {
        self.log.iter().filter(|line| line["event"] == event).collect()
    }

    fn ended_stages(&self) -> Vec<&str> {
        self.logged("stage").iter().map(|line| line["stage"].as_str().unwrap()).collect()
    }

    /// The folder that was published, and its manifest.
    fn published(&self) -> (PathBuf, Value) {
        assert_eq!(self.outcome.exit, 0, "{}", self.outcome.shown(&[]));
        let folder = repository().join(self.outcome.stdout.trim());
        let manifest = serde_json::from_str(&read(&folder.join("manifest.json"))).unwrap();
        (folder, manifest)
    }
}

fn copied(bank: &str) -> (Scratch, PathBuf) {
    let folder = scratch();
    let copy = folder.path().join("bank");
    copy_folder(&repository().join(bank), &copy);
    (folder, copy)
}

#[test]
fn a_published_night_tells_what_its_manifest_says() {
    let folder = scratch();
    let told = told(&repository().join(BANK), folder.path(), &[]);
    let (run, manifest) = told.published();
    events::agree_with_manifest(&told.end, &manifest, &repository().join(BANK), &run);
    exposition::agree_with_manifest(&told.metrics, &manifest);
    assert_eq!(told.ended_stages(), STAGES);
    let stages = told.metrics.of("wellfield_stage_duration_seconds");
    assert_eq!(stages.len(), STAGES.len(), "a night has all its stages, whoever counts them");
    assert_eq!(told.logged("run").len(), 1, "the log names the run once");

    let beside = events::read(&read(&run.join("lineage.ndjson")));
    assert_eq!(beside.0, told.start);
    for part in ["job", "inputs", "outputs", "eventType"] {
        assert_eq!(beside.1[part], told.end[part], "`{part}` of `lineage.ndjson`");
    }
}

#[test]
fn the_same_night_again_tells_of_the_same_run() {
    let folder = scratch();
    let bank = repository().join(MINI);
    let first = told(&bank, folder.path(), &[]);
    let again = told(&bank, folder.path(), &[]);
    let (_, manifest) = again.published();
    let night = |told: &Told| told.end["run"]["facets"]["wellfield_night"].clone();
    assert_eq!(night(&first)["outcome"], "published");
    assert_eq!(night(&again)["outcome"], "already_published");
    assert_eq!(night(&first)["run_id"], night(&again)["run_id"]);
    assert_ne!(first.end["run"]["runId"], again.end["run"]["runId"], "it is another attempt");
    let names = |told: &Told| told.end["outputs"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    let (before, after): (Vec<Value>, Vec<Value>) = (names(&first), names(&again));
    assert_eq!(before, after, "a lineage tool keeps its edges");
    for dataset in again.end["outputs"].as_array().unwrap() {
        assert!(dataset.get("outputFacets").is_none(), "nothing was written: {}", dataset["name"]);
    }
    exposition::agree_with_manifest(&again.metrics, &manifest);
    assert_eq!(
        again.logged("note").last().unwrap()["message"].as_str().unwrap().split(':').next(),
        Some("already published")
    );
}

#[test]
fn a_night_that_could_not_run_says_so() {
    let folder = scratch();
    let told = told(&repository().join(MINI), folder.path(), &["--memory-max", "1MiB"]);
    assert_eq!(told.outcome.exit, 1, "{}", told.outcome.shown(&[]));
    assert_eq!(told.logged("fault")[0]["stage"], "clean");
    let message = told.end["run"]["facets"]["errorMessage"]["message"].as_str().unwrap();
    assert!(message.contains("`--memory-max`") && message.contains("\nhint: "), "{message}");
    assert_eq!(told.end["outputs"], json!([]));
}

#[test]
fn a_bank_that_is_not_there_is_told_of_all_the_same() {
    let folder = scratch();
    let told = told(&folder.path().join("no-bank"), folder.path(), &[]);
    assert_ne!(told.outcome.exit, 0);
    assert_eq!(told.logged("fault")[0]["stage"], Value::Null, "no stage has begun");
}

#[test]
fn refused_banks_say_every_fault() {
    let twins = files_below(&repository().join("sample-data/bad"), &|path| path.ends_with("expected.txt"));
    let refused = twins.iter().filter(|expected| read(expected).starts_with("exit: 3"));
    let mut count = 0;
    for expected in refused {
        let folder = scratch();
        let told = told(expected.parent().unwrap(), folder.path(), &[]);
        assert_eq!(told.outcome.exit, 3, "{}", expected.display());
        let message = told.end["run"]["facets"]["errorMessage"]["message"].as_str().unwrap();
        for fault in told.logged("fault") {
            assert!(message.contains(fault["message"].as_str().unwrap()), "{message}");
        }
        assert_eq!((&told.end["outputs"], told.metrics.of("wellfield_output_rows").len()), (&json!([]), 0));
        count += 1;
    }
    assert!(count > 10, "{count} twins are refused");
}

#[test]
fn a_failed_audit_is_told_with_its_checks() {
    let folder = scratch();
    let bank = repository().join("sample-data/bad/too_many_set_aside");
    let failed = told(&bank, folder.path(), &[]);
    assert_eq!(failed.outcome.exit, 4, "{}", failed.outcome.shown(&[]));
    assert_eq!(failed.metrics.single("wellfield_audit_passed"), 0.0);
    assert_eq!(failed.metrics.value("wellfield_audit_checks", &[("outcome", "failed")]), 1.0);
    assert_eq!(failed.logged("fault")[0]["stage"], "audit");
    let visits = events::dataset(&failed.end["inputs"], &bank.join("visits"));
    let share = events::assertion(visits, "set_aside_share");
    assert_eq!((&share["success"], &share["severity"]), (&json!(false), &json!("error")));

    let allowed = told(&bank, folder.path(), &["--allow-quarantine", "visits"]);
    assert_eq!(allowed.metrics.single("wellfield_audit_passed"), 1.0);
    assert_eq!(allowed.metrics.value("wellfield_audit_checks", &[("outcome", "allowed")]), 1.0);
    let share = events::assertion(events::dataset(&allowed.end["inputs"], &bank.join("visits")), "set_aside_share");
    assert_eq!((&share["success"], &share["severity"]), (&json!(false), &json!("warn")));
}

#[test]
fn any_name_of_a_bank_is_told_unharmed() {
    let (folder, bank) = copied(MINI);
    let name = "县\"农商\\行\"\nno. 1 {a=\"b\"} 2";
    let settings = read(&bank.join("bank.toml"));
    let named = settings.lines().map(|line| match line.starts_with("name = ") {
        true => format!("name = {}", json!(name)),
        false => line.to_string(),
    });
    std::fs::write(bank.join("bank.toml"), named.collect::<Vec<_>>().join("\n")).unwrap();
    let told = told(&bank, folder.path(), &[]);
    assert_eq!(told.metrics.only("wellfield_night_info")["bank"], name);
}

#[test]
fn nobody_is_named_by_what_a_night_tells() {
    let folder = scratch();
    let bank = repository().join(BANK);
    told(&bank, folder.path(), &[]);
    let mut households = csv::Reader::from_path(bank.join("households.csv")).unwrap();
    let households: Vec<csv::StringRecord> = households.records().map(Result::unwrap).collect();
    let texts = ["night.prom", "night.ndjson"].map(|file| read(&folder.path().join(file)));
    // The identifier is the first column; every household is looked for.
    for household in &households {
        let told = texts.iter().any(|text| text.contains(&household[0]));
        assert!(!told, "household {} is told of", &household[0]);
    }
    assert!(households.len() > 1000);
}

fn report(started: i64, ended: i64) -> NightReport {
    let as_of = Date::parse(AS_OF).unwrap();
    let mut report = NightReport::begin("bank".into(), "/bank".into(), "/runs".into(), as_of, Moment(started));
    report.ended = Moment(ended);
    report.outcome = Outcome::Failed { exit_code: 1, faults: Vec::new() };
    report
}

#[test]
fn a_clock_that_is_set_back_ends_no_night_before_it_began() {
    let report = report(1_782_777_600_000_001, 1_782_777_599_000_000);
    let (start, end) = events::read(&lineage::events(&report, &Contracts::built_in().unwrap()).unwrap());
    assert_eq!((&start["eventTime"], &end["eventTime"]), (&json!("2026-06-30T00:00:00.000001Z"), &start["eventTime"]));
    let metrics = exposition::parse(&metrics::text(&report));
    assert_eq!(metrics.single("wellfield_night_duration_seconds"), 0.0);
    assert_eq!(metrics.single("wellfield_as_of_timestamp_seconds"), 1_782_777_600.0);
    assert!(metrics.of("wellfield_audit_passed").is_empty(), "nothing is said of an audit that was not reached");
}

#[test]
fn each_attempt_is_a_run_of_its_own() {
    let contracts = Contracts::built_in().unwrap();
    let id = |started| {
        let (start, _) = events::read(&lineage::events(&report(started, started), &contracts).unwrap());
        start["run"]["runId"].as_str().unwrap().to_string()
    };
    assert_eq!(id(1), id(1));
    assert_ne!(id(1), id(2));
}
