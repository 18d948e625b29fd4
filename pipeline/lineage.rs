//! The night as OpenLineage run events (spec 2-0-2), told after the fact: START, then COMPLETE or FAIL. A dataset bears
//! one name every night, so that a lineage tool draws one node for each table; the files of this night are its symbolic
//! names, the run is its version. Nothing of a household stands in an event. Leaves the writing to `publish`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::calendar;
use crate::contract::{Contract, Contracts};
use crate::fault::{Fault, Result};
use crate::manifest::{InputEntry, OutputEntry, ReleasedEntry};
use crate::regulator;
use crate::report::{NightReport, Outcome};
use crate::watch::Moment;

/// Where the specification keeps its schemas, each version at an address of its own.
const SPECIFICATION: &str = "https://openlineage.io/spec";

/// One JSON object a line: START, then COMPLETE or FAIL.
pub fn events(report: &NightReport, contracts: &Contracts) -> Result<String> {
    let teller = Teller { report, contracts, producer: format!("urn:wellfield:{}", report.program_version) };
    let (start, end) = (teller.start(), teller.end()?);
    Ok(format!("{start}\n{end}\n"))
}

struct Teller<'r> {
    report: &'r NightReport,
    contracts: &'r Contracts,
    producer: String,
}

impl Teller<'_> {
    fn start(&self) -> Value {
        self.event("START", self.report.started, self.run_facets(None), Vec::new(), Vec::new())
    }

    fn end(&self) -> Result<Value> {
        let mut facets = self.run_facets(Some(&self.report.outcome));
        if !self.report.audit.is_empty() {
            facets
                .insert("wellfield_audit".into(), self.own_facet("AuditRunFacet", json!({ "checks": self.checks() })));
        }
        let event_type = match &self.report.outcome {
            Outcome::Failed { faults, .. } => {
                facets.insert("errorMessage".into(), self.error_message(faults));
                "FAIL"
            }
            _ => "COMPLETE",
        };
        // A clock that was set back in the night makes no event end before it started.
        let ended = self.report.ended.max(self.report.started);
        Ok(self.event(event_type, ended, facets, self.inputs()?, self.outputs()?))
    }

    fn event(
        &self,
        event_type: &str,
        at: Moment,
        facets: Map<String, Value>,
        inputs: Vec<Value>,
        outputs: Vec<Value>,
    ) -> Value {
        let job_type = json!({ "processingType": "BATCH", "integration": "WELLFIELD", "jobType": "JOB" });
        json!({
            "eventType": event_type,
            "eventTime": rfc3339(at),
            "producer": self.producer,
            "schemaURL": format!("{SPECIFICATION}/2-0-2/OpenLineage.json#/$defs/RunEvent"),
            "run": { "runId": attempt_id(self.report), "facets": facets },
            "job": {
                "namespace": "wellfield",
                "name": format!("nightly.{}", self.report.bank),
                "facets": { "jobType": self.facet("2-0-4", "JobTypeJobFacet", job_type) },
            },
            "inputs": inputs,
            "outputs": outputs,
        })
    }

    /// What is told of the night. How it ended is not known when it starts.
    fn run_facets(&self, outcome: Option<&Outcome>) -> Map<String, Value> {
        let report = self.report;
        let nominal = json!({ "nominalStartTime": format!("{}T00:00:00Z", report.as_of) });
        let engine = json!({ "name": "wellfield", "version": report.program_version });
        let night = json!({
            "run_id": report.run_id,
            "as_of": report.as_of.to_string(),
            "previous_run": report.previous_run,
            "outcome": outcome.map(Outcome::name),
            "exit_code": outcome.map(Outcome::exit_code),
            "program_version": report.program_version,
        });
        Map::from_iter([
            ("nominalTime".to_string(), self.facet("1-0-1", "NominalTimeRunFacet", nominal)),
            ("processing_engine".to_string(), self.facet("1-1-1", "ProcessingEngineRunFacet", engine)),
            ("wellfield_night".to_string(), self.own_facet("NightRunFacet", night)),
        ])
    }

    /// Every check of the audit. The specification has assertions for inputs only; these are of outputs too.
    fn checks(&self) -> Vec<Value> {
        let rows = self.report.audit.iter();
        rows.map(|row| {
            json!({
                "check": row.check,
                "table": row.table,
                "passed": row.passed,
                "allowed": row.allowed,
                "failures": row.failures,
            })
        })
        .collect()
    }

    fn error_message(&self, faults: &[Fault]) -> Value {
        let told = faults.iter().map(|fault| match &fault.hint {
            Some(hint) => format!("{}\nhint: {hint}", fault.message),
            None => fault.message.clone(),
        });
        let message = told.collect::<Vec<_>>().join("\n\n");
        self.facet("1-0-1", "ErrorMessageRunFacet", json!({ "message": message, "programmingLanguage": "Rust" }))
    }

    /// One dataset for each input table of which a file was read.
    fn inputs(&self) -> Result<Vec<Value>> {
        let mut tables: BTreeMap<&str, Vec<&InputEntry>> = BTreeMap::new();
        for entry in &self.report.inputs {
            tables.entry(entry.table.as_str()).or_default().push(entry);
        }
        tables.iter().map(|(table, entries)| self.input(table, entries)).collect()
    }

    fn input(&self, table: &str, entries: &[&InputEntry]) -> Result<Value> {
        let report = self.report;
        let counts = report.tables.get(table);
        let bytes: u64 = entries.iter().map(|entry| entry.bytes).sum();
        let read = json!({ "rowCount": counts.map(|counts| counts.read), "size": bytes, "fileCount": entries.len() });
        let mut facets = Map::from_iter([(
            "inputStatistics".to_string(),
            self.facet("1-0-0", "InputStatisticsInputDatasetFacet", read),
        )]);
        if let Some(counts) = counts {
            let mut rows = json!(counts);
            let newest = entries.iter().filter_map(|entry| entry.newest_row.as_ref()).max();
            if let Some(rows) = rows.as_object_mut() {
                rows.insert("newest_row".into(), json!(newest));
            }
            facets.insert("wellfield_rows".into(), self.own_facet("RowsInputDatasetFacet", rows));
        }
        let assertions = self.assertions(table);
        if !assertions.is_empty() {
            let asserted =
                self.facet("1-1-0", "DataQualityAssertionsDatasetFacet", json!({ "assertions": assertions }));
            facets.insert("dataQualityAssertions".into(), asserted);
        }
        let files = self.unshared(entries);
        let mut dataset = self.dataset(&report.bank_folder.join(table), Some(self.contracts.input(table)?), &files);
        dataset.insert("inputFacets".into(), Value::Object(facets));
        Ok(Value::Object(dataset))
    }

    /// The files of which no other table is made: a symbolic name means one dataset.
    fn unshared(&self, entries: &[&InputEntry]) -> BTreeSet<String> {
        let is_shared = |entry: &&&InputEntry| {
            let mut others = self.report.inputs.iter();
            others.any(|other| other.path == entry.path && other.table != entry.table)
        };
        let own = entries.iter().filter(|entry| !is_shared(entry));
        own.map(|entry| shown(&self.report.bank_folder.join(&entry.path))).collect()
    }

    /// The checks of an input table. One that failed and was allowed warns only.
    fn assertions(&self, table: &str) -> Vec<Value> {
        let rows = self.report.audit.iter().filter(|row| row.table == table);
        rows.map(|row| {
            json!({
                "assertion": row.check,
                "success": row.passed,
                "severity": if row.allowed { "warn" } else { "error" },
                "failures": row.failures,
            })
        })
        .collect()
    }

    /// One dataset for each output table, and for each table that leaves the bank.
    fn outputs(&self) -> Result<Vec<Value>> {
        let tables = self.report.outputs.iter().map(|(table, entry)| self.output(table, entry));
        let mut datasets = tables.collect::<Result<Vec<_>>>()?;
        let mut released: BTreeMap<&str, Vec<&ReleasedEntry>> = BTreeMap::new();
        for entry in &self.report.regulator {
            released.entry(released_table(&entry.path)).or_default().push(entry);
        }
        datasets.extend(released.iter().map(|(table, entries)| self.released(table, entries)));
        Ok(datasets)
    }

    fn output(&self, table: &str, entry: &OutputEntry) -> Result<Value> {
        let bytes: u64 = entry.files.iter().map(|file| file.bytes).sum();
        let written = json!({ "rowCount": entry.rows, "size": bytes, "fileCount": entry.files.len() });
        let files = entry.files.iter().map(|file| self.published_file(&file.path)).collect();
        let dataset = self.dataset(&self.report.runs_folder.join(table), Some(self.contracts.output(table)?), &files);
        Ok(self.written(dataset, written))
    }

    /// The same rows in several forms; the workbook, which holds more than one table, has no count of its own.
    fn released(&self, table: &str, entries: &[&ReleasedEntry]) -> Value {
        let bytes: u64 = entries.iter().map(|entry| entry.bytes).sum();
        let rows = entries.iter().filter_map(|entry| entry.rows).max();
        let written = json!({ "rowCount": rows, "size": bytes, "fileCount": entries.len() });
        let files = entries.iter().map(|entry| self.published_file(&entry.path)).collect();
        let name = self.report.runs_folder.join(regulator::FOLDER).join(table);
        self.written(self.dataset(&name, self.contracts.regulator(table).ok(), &files), written)
    }

    /// An output: the run is its version; what was written is told by the night that wrote it only.
    fn written(&self, mut dataset: Map<String, Value>, statistics: Value) -> Value {
        if let (Some(facets), Some(run_id)) =
            (dataset.get_mut("facets").and_then(Value::as_object_mut), &self.report.run_id)
        {
            let version = self.facet("1-0-1", "DatasetVersionDatasetFacet", json!({ "datasetVersion": run_id }));
            facets.insert("version".into(), version);
        }
        if matches!(self.report.outcome, Outcome::Published) {
            let statistics = self.facet("1-0-2", "OutputStatisticsOutputDatasetFacet", statistics);
            dataset.insert("outputFacets".into(), json!({ "outputStatistics": statistics }));
        }
        Value::Object(dataset)
    }

    /// Where a file of the run's folder stands.
    fn published_file(&self, path: &str) -> String {
        let report = self.report;
        let day = report.runs_folder.join(report.as_of.to_string());
        shown(&day.join(report.run_id.as_deref().unwrap_or_default()).join(path))
    }

    /// A table by its lasting name, what its contract says of it, and the files in which it stands tonight.
    fn dataset(&self, name: &Path, contract: Option<&Contract>, files: &BTreeSet<String>) -> Map<String, Value> {
        let mut facets = Map::new();
        if let Some(contract) = contract {
            let columns = contract.columns.iter().map(|column| {
                let kind = column.kind.arrow().to_string();
                json!({ "name": column.name, "type": kind, "description": column.meaning.en })
            });
            let columns: Vec<Value> = columns.collect();
            facets.insert("schema".into(), self.facet("1-2-0", "SchemaDatasetFacet", json!({ "fields": columns })));
            let grain = json!({ "description": contract.grain.en });
            facets.insert("documentation".into(), self.facet("1-1-0", "DocumentationDatasetFacet", grain));
        }
        if !files.is_empty() {
            let names = files.iter().map(|file| json!({ "namespace": "file", "name": file, "type": "LOCATION" }));
            let names: Vec<Value> = names.collect();
            let names = self.facet("1-0-1", "SymlinksDatasetFacet", json!({ "identifiers": names }));
            facets.insert("symlinks".into(), names);
        }
        Map::from_iter([
            ("namespace".to_string(), json!("file")),
            ("name".to_string(), json!(shown(name))),
            ("facets".to_string(), Value::Object(facets)),
        ])
    }

    /// A facet of the specification; members without a value are left out, as its schemas know no null.
    fn facet(&self, version: &str, name: &str, fields: Value) -> Value {
        let schema = format!("{SPECIFICATION}/facets/{version}/{name}.json#/$defs/{name}");
        let mut facet = self.facet_of(&schema, fields);
        if let Some(members) = facet.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        facet
    }

    /// A facet of our own, which the specification asks to bear a prefix and an address of its schema.
    fn own_facet(&self, name: &str, fields: Value) -> Value {
        self.facet_of(&format!("{}:Wellfield{name}", self.producer), fields)
    }

    fn facet_of(&self, schema: &str, fields: Value) -> Value {
        let mut facet = json!({ "_producer": self.producer, "_schemaURL": schema });
        if let (Some(facet), Value::Object(fields)) = (facet.as_object_mut(), fields) {
            facet.extend(fields);
        }
        facet
    }
}

/// The table of a file for the regulator: `regulator/indicators.csv` and `regulator/indicators/part-0000.parquet` are of
/// the same.
fn released_table(path: &str) -> &str {
    let below = path.strip_prefix(regulator::FOLDER).map_or(path, |rest| rest.trim_start_matches('/'));
    below.split(['/', '.']).next().unwrap_or(below)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn rfc3339(moment: Moment) -> String {
    format!("{}Z", calendar::format_time(moment.0))
}

/// The identifier of this attempt, a UUID of version 8: a night that is tried again is another run of the same job.
fn attempt_id(report: &NightReport) -> String {
    let night = report.run_id.as_ref().unwrap_or(&report.bank);
    let hash = blake3::hash(format!("{night}\n{}\n{}", report.as_of, report.started.0).as_bytes());
    let bits = hash.as_bytes().iter().take(16).fold(0_u128, |bits, &byte| bits << 8 | u128::from(byte));
    let (version, variant) = (0xf_u128 << 76, 0x3_u128 << 62);
    let bits = bits & !(version | variant) | 0x8 << 76 | 0x2 << 62;
    let digits = format!("{bits:032x}");
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
