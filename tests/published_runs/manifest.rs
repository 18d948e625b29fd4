//! The manifest's shape: the committed schema is the one of the type that is written, every manifest of the sample
//! banks is read back to the same bytes, and nothing with a key too many or too few is taken for one.

use std::path::Path;

use schemars::generate::SchemaSettings;
use serde_json::Value;
use wellfield::manifest::Manifest;

use super::Runs;
use crate::support::{read, repository};

const SCHEMA: &str = "schemas/manifest.schema.json";
/// Set to write the schema anew instead of comparing it.
const RENEW: &str = "RENEW_MANIFEST_SCHEMA";

#[test]
fn the_schema_is_that_of_the_manifest() {
    // As it is written: what may be null is there all the same.
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<Manifest>().to_value();
    on_one_line(&mut schema);
    let (path, schema) = (repository().join(SCHEMA), format!("{schema:#}\n"));
    if std::env::var_os(RENEW).is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let is_same = path.is_file() && read(&path) == schema;
    assert!(
        is_same,
        "`{SCHEMA}` is of an earlier program: `{RENEW}=1 cargo test --release -- the_schema` writes it anew"
    );
}

/// A description is a sentence or more, and no line of a program.
fn on_one_line(schema: &mut Value) {
    match schema {
        Value::Object(fields) => fields.iter_mut().for_each(|(key, value)| match value {
            Value::String(text) if key == "description" => *text = text.replace('\n', " "),
            _ => on_one_line(value),
        }),
        Value::Array(items) => items.iter_mut().for_each(on_one_line),
        _ => {}
    }
}

/// Manifests of every kind: of the sample banks, of a run that looked back, of one with a check that was allowed to
/// fail.
fn manifests() -> Vec<String> {
    let runs = Runs::none();
    let sample = |folder: &str| repository().join("sample-data").join(folder);
    let mut published = vec![runs.night(29, &[]), runs.night(30, &[])];
    for bank in ["bank", "messy/export", "bad/too_many_set_aside"] {
        published.push(runs.night_of(&sample(bank), 30, &["--previous", "none", "--allow-quarantine", "visits"]));
    }
    published.iter().map(|run| read(&run.join("manifest.json"))).collect()
}

#[test]
fn every_manifest_is_read_back_to_the_same_bytes() {
    let manifests = manifests();
    let parsed: Vec<Manifest> = manifests.iter().map(|text| Manifest::from_json(text).unwrap()).collect();
    for (text, manifest) in manifests.iter().zip(&parsed) {
        assert!(manifest.to_json().unwrap() == *text, "{} is written otherwise", manifest.bank);
        assert_eq!(manifest.contradictions(), Vec::<String>::new(), "{}", manifest.bank);
    }
    assert!(parsed.iter().any(|manifest| manifest.previous_run.is_some()));
    assert!(parsed.iter().any(|manifest| manifest.audit.iter().any(|row| row.allowed && !row.passed)));
}

#[test]
fn a_manifest_with_an_unknown_or_missing_key_is_refused() {
    let runs = Runs::none();
    let text = read(&runs.night(30, &[]).join("manifest.json"));
    let whole: Value = serde_json::from_str(&text).unwrap();
    let mut objects = Vec::new();
    walk(&whole, "", &mut objects);
    assert!(objects.len() > 10, "{objects:?}");
    for place in objects {
        let keys: Vec<String> = whole.pointer(&place).unwrap().as_object().unwrap().keys().cloned().collect();
        // The keys of these are names of indicators and tables.
        if !["/definitions", "/tables", "/outputs"].contains(&place.as_str()) {
            for key in keys {
                let mut changed = whole.clone();
                changed.pointer_mut(&place).unwrap().as_object_mut().unwrap().remove(&key);
                let refused = Manifest::from_json(&changed.to_string()).unwrap_err().to_string();
                assert!(refused.contains(&format!("missing field `{key}`")), "{place} without `{key}`: {refused}");
            }
            let mut changed = whole.clone();
            changed.pointer_mut(&place).unwrap().as_object_mut().unwrap().insert("head_name".into(), Value::Null);
            let refused = Manifest::from_json(&changed.to_string()).unwrap_err().to_string();
            assert!(refused.contains("unknown field `head_name`"), "{place}: {refused}");
        }
    }
}

/// The places of all objects, of the objects in a list that of the first.
fn walk(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.push(place.to_string());
            fields.iter().for_each(|(key, value)| walk(value, &format!("{place}/{key}"), found));
        }
        Value::Array(items) => items.iter().take(1).for_each(|item| walk(item, &format!("{place}/0"), found)),
        _ => {}
    }
}

#[test]
fn the_schema_asks_for_every_key_and_explains_it() {
    let schema: Value = serde_json::from_str(&read(&repository().join(Path::new(SCHEMA)))).unwrap();
    let kinds = schema["$defs"].as_object().unwrap().values().chain([&schema]);
    for kind in kinds {
        let keys: Vec<&String> = kind["properties"].as_object().unwrap().keys().collect();
        assert_eq!(kind["required"].as_array().unwrap().len(), keys.len(), "{kind}");
        assert_eq!(kind["additionalProperties"], Value::Bool(false), "{kind}");
        assert!(kind["description"].is_string(), "{kind}");
        for key in keys {
            assert!(kind["properties"][key]["description"].is_string(), "`{key}` is not explained: {kind}");
        }
    }
}
