//! OpenLineage events, checked by hand against specification 2-0-2 and the facets that a night uses: what is required is
//! there, nothing is null, and every name, time and address has its form.

use std::path::Path;

use serde_json::Value;
use wellfield::contract::{Contract, Contracts};

/// START, then COMPLETE or FAIL; both in form and of one run.
pub fn read(text: &str) -> (Value, Value) {
    assert!(text.ends_with('\n'), "the last line is closed");
    let mut events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(events.len(), 2);
    events.iter().for_each(check);
    let (end, start) = (events.pop().unwrap(), events.pop().unwrap());
    assert_eq!(start["eventType"], "START");
    assert!(["COMPLETE", "FAIL"].contains(&end["eventType"].as_str().unwrap()));
    assert_eq!(start["run"]["runId"], end["run"]["runId"]);
    assert_eq!((&start["job"], &start["producer"]), (&end["job"], &end["producer"]));
    assert!(start["eventTime"].as_str() <= end["eventTime"].as_str());
    (start, end)
}

/// The dataset of a table.
pub fn dataset<'e>(datasets: &'e Value, name: &Path) -> &'e Value {
    let name = name.to_str().unwrap();
    let found = datasets.as_array().unwrap().iter().find(|dataset| dataset["name"] == name);
    found.unwrap_or_else(|| panic!("there is no dataset {name}"))
}

pub fn assertion<'e>(dataset: &'e Value, name: &str) -> &'e Value {
    let assertions = dataset["inputFacets"]["dataQualityAssertions"]["assertions"].as_array().unwrap();
    assertions.iter().find(|assertion| assertion["assertion"] == name).unwrap()
}

/// Rows, bytes, files, columns and checks are those of the manifest, of every table and no other.
pub fn agree_with_manifest(end: &Value, manifest: &Value, bank: &Path, run: &Path) {
    let contracts = Contracts::built_in().unwrap();
    let inputs = manifest["inputs"].as_array().unwrap();
    let mut tables: Vec<&str> = inputs.iter().map(|input| input["table"].as_str().unwrap()).collect();
    tables.dedup();
    assert_eq!(end["inputs"].as_array().unwrap().len(), tables.len());
    for table in tables {
        let told = dataset(&end["inputs"], &bank.join(table));
        let files: Vec<&Value> = inputs.iter().filter(|input| input["table"] == table).collect();
        let statistics = &told["inputFacets"]["inputStatistics"];
        assert_eq!(statistics["rowCount"], manifest["tables"][table]["read"], "{table}");
        assert_eq!(statistics["size"], sum(&files, "bytes"), "{table}");
        assert_eq!(statistics["fileCount"], files.len(), "{table}");
        let rows = &told["inputFacets"]["wellfield_rows"];
        for state in ["accepted", "set_aside", "not_yet_known"] {
            assert_eq!(rows[state], manifest["tables"][table][state], "{table} {state}");
        }
        has_columns(told, contracts.input(table).unwrap());
    }
    let runs = run.parent().unwrap().parent().unwrap();
    let outputs = manifest["outputs"].as_object().unwrap();
    for (table, output) in outputs {
        let told = dataset(&end["outputs"], &runs.join(table));
        let files: Vec<&Value> = output["files"].as_array().unwrap().iter().collect();
        let statistics = &told["outputFacets"]["outputStatistics"];
        assert_eq!(statistics["rowCount"], output["rows"], "{table}");
        assert_eq!(statistics["size"], sum(&files, "bytes"), "{table}");
        assert_eq!(statistics["fileCount"], files.len(), "{table}");
        assert_eq!(told["facets"]["version"]["datasetVersion"], manifest["run_id"]);
        has_columns(told, contracts.output(table).unwrap());
        let place = run.join(files[0]["path"].as_str().unwrap());
        assert_eq!(told["facets"]["symlinks"]["identifiers"][0]["name"], place.to_str().unwrap());
    }
    let released = contracts.regulator.len();
    assert_eq!(end["outputs"].as_array().unwrap().len(), outputs.len() + released);
    for contract in &contracts.regulator {
        has_columns(dataset(&end["outputs"], &runs.join("regulator").join(&contract.table)), contract);
    }
    let checks = end["run"]["facets"]["wellfield_audit"]["checks"].as_array().unwrap();
    let audit = manifest["audit"].as_array().unwrap();
    assert_eq!(checks.len(), audit.len());
    for (check, row) in checks.iter().zip(audit) {
        for member in ["check", "table", "passed", "allowed", "failures"] {
            assert_eq!(check[member], row[member], "{check}");
        }
    }
}

fn sum(files: &[&Value], member: &str) -> u64 {
    files.iter().map(|file| file[member].as_u64().unwrap()).sum()
}

fn has_columns(dataset: &Value, contract: &Contract) {
    let fields = dataset["facets"]["schema"]["fields"].as_array().unwrap();
    let names: Vec<&str> = fields.iter().map(|field| field["name"].as_str().unwrap()).collect();
    let columns: Vec<&str> = contract.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, columns, "{}", contract.table);
}

/// `RunEvent` of the specification.
fn check(event: &Value) {
    for required in ["eventTime", "producer", "schemaURL", "run", "job"] {
        assert!(event.get(required).is_some(), "an event has no `{required}`");
    }
    let kinds = ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"];
    assert!(kinds.contains(&event["eventType"].as_str().unwrap()));
    is_date_time(&event["eventTime"]);
    is_uri(&event["producer"]);
    assert_eq!(event["schemaURL"], "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent");
    is_uuid(&event["run"]["runId"]);
    facets(&event["run"]["facets"]);
    for required in ["namespace", "name"] {
        is_filled(&event["job"][required]);
    }
    facets(&event["job"]["facets"]);
    for (datasets, own) in [("inputs", "inputFacets"), ("outputs", "outputFacets")] {
        let datasets = event[datasets].as_array().unwrap();
        let mut names: Vec<&str> = datasets.iter().map(|dataset| dataset["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), datasets.len(), "a dataset is told once");
        for dataset in datasets {
            is_filled(&dataset["namespace"]);
            is_filled(&dataset["name"]);
            facets(&dataset["facets"]);
            if let Some(own) = dataset.get(own) {
                facets(own);
            }
        }
    }
}

/// Every facet has its producer and the address of its schema, and what its schema requires.
fn facets(facets: &Value) {
    for (name, facet) in facets.as_object().unwrap() {
        is_uri(&facet["_producer"]);
        is_uri(&facet["_schemaURL"]);
        let schema = facet["_schemaURL"].as_str().unwrap();
        let Some((file, required)) = required(name) else {
            assert!(name.starts_with("wellfield_") && schema.starts_with("urn:wellfield:"), "facet `{name}`");
            continue;
        };
        let address = schema.strip_prefix("https://openlineage.io/spec/facets/").expect("a facet of the specification");
        let (version, rest) = address.split_once('/').unwrap();
        assert!(version.split('-').all(|part| part.parse::<u8>().is_ok()), "{schema}");
        assert_eq!(rest, format!("{file}.json#/$defs/{file}"));
        for member in required {
            assert!(facet.get(member).is_some(), "facet `{name}` has no `{member}`");
        }
        let has_null = facet.as_object().unwrap().values().any(Value::is_null);
        assert!(!has_null, "a member without a value is left out: {facet}");
        check_members(name, facet);
    }
}

/// The name of a facet's schema and what it requires; none for a facet of our own.
fn required(facet: &str) -> Option<(&'static str, &'static [&'static str])> {
    Some(match facet {
        "nominalTime" => ("NominalTimeRunFacet", &["nominalStartTime"]),
        "processing_engine" => ("ProcessingEngineRunFacet", &["version"]),
        "errorMessage" => ("ErrorMessageRunFacet", &["message", "programmingLanguage"]),
        "jobType" => ("JobTypeJobFacet", &["processingType", "integration"]),
        "schema" => ("SchemaDatasetFacet", &["fields"]),
        "documentation" => ("DocumentationDatasetFacet", &["description"]),
        "version" => ("DatasetVersionDatasetFacet", &["datasetVersion"]),
        "symlinks" => ("SymlinksDatasetFacet", &["identifiers"]),
        "inputStatistics" => ("InputStatisticsInputDatasetFacet", &[]),
        "dataQualityAssertions" => ("DataQualityAssertionsDatasetFacet", &["assertions"]),
        "outputStatistics" => ("OutputStatisticsOutputDatasetFacet", &["rowCount"]),
        _ => return None,
    })
}

fn check_members(name: &str, facet: &Value) {
    let list = |member: &str| facet[member].as_array().unwrap().clone();
    match name {
        "nominalTime" => is_date_time(&facet["nominalStartTime"]),
        "errorMessage" => assert_eq!(facet["programmingLanguage"], "Rust"),
        "schema" => list("fields").iter().for_each(|field| {
            ["name", "type", "description"].iter().for_each(|member| is_filled(&field[*member]));
        }),
        "symlinks" => list("identifiers").iter().for_each(|identifier| {
            ["namespace", "name", "type"].iter().for_each(|member| is_filled(&identifier[*member]));
        }),
        "inputStatistics" | "outputStatistics" => {
            ["rowCount", "size", "fileCount"].iter().for_each(|member| assert!(facet[*member].is_u64(), "{facet}"));
        }
        "dataQualityAssertions" => list("assertions").iter().for_each(|assertion| {
            is_filled(&assertion["assertion"]);
            assert!(assertion["success"].is_boolean() && assertion["failures"].is_u64(), "{assertion}");
            assert!(["error", "warn"].contains(&assertion["severity"].as_str().unwrap()));
        }),
        _ => {}
    }
}

fn is_filled(value: &Value) {
    assert!(value.as_str().is_some_and(|text| !text.is_empty()), "{value} is no text");
}

/// A scheme, and nothing that an address may not hold.
fn is_uri(value: &Value) {
    let text = value.as_str().unwrap_or_default();
    let (scheme, rest) = text.split_once(':').unwrap_or_default();
    let is_scheme = scheme.starts_with(|letter: char| letter.is_ascii_alphabetic());
    let is_allowed = |letter: char| letter.is_ascii_graphic() && !"<>\"{}|\\^`".contains(letter);
    assert!(is_scheme && !rest.is_empty() && rest.chars().all(is_allowed), "{value} is no URI");
}

/// RFC 3339 in UTC: `2026-06-30T01:30:00Z`, with or without parts of a second.
fn is_date_time(value: &Value) {
    let text = value.as_str().unwrap_or_default();
    let (whole, rest) = text.split_at_checked(19).unwrap_or_default();
    let is_pattern = whole.len() == 19
        && whole.chars().zip("0000-00-00T00:00:00".chars()).all(|(letter, pattern)| match pattern {
            '0' => letter.is_ascii_digit(),
            other => letter == other,
        });
    let fraction = rest.strip_suffix('Z').map(|rest| rest.strip_prefix('.').unwrap_or(rest));
    let is_fraction = fraction.is_some_and(|digits| digits.chars().all(|digit| digit.is_ascii_digit()));
    assert!(is_pattern && is_fraction, "{value} is no time");
}

/// A UUID with its version and variant in place.
fn is_uuid(value: &Value) {
    let text = value.as_str().unwrap_or_default();
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12], "{value} is no UUID");
    assert!(parts.iter().all(|part| u64::from_str_radix(part, 16).is_ok()), "{value} is no UUID");
    assert!(parts[2].starts_with('8') && parts[3].starts_with(['8', '9', 'a', 'b']), "{value} is no UUID");
}
