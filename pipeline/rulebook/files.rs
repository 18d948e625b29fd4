//! Where a rulebook's files are: built into the program, or in a bank's own folder of the same layout.
//! The only part of the rulebook that touches a disk; leaves what the files say to the readers of the policies.
#![allow(clippy::disallowed_methods)]

use crate::fault::{Error, Fault, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The sub-folder with one file per scorecard, under any name.
pub(super) const SCORECARDS: &str = "scorecards/";

/// The list of sources; in a bank's folder it adds to the built-in list.
pub(super) const SOURCES: &str = "sources.toml";

/// The built-in list of sources.
pub(super) const BUILT_IN_SOURCES: &str = include_str!("../../schemas/sources.toml");

/// Every policy that a rulebook must have beside its scorecards, in the order in which people read them.
pub(super) const POLICIES: &[&str] = &[
    "visit_checks",
    "fact_rules",
    "grade_scale",
    "vetoes",
    "limits",
    "partition",
    "coverage_targets",
    "officers",
    "credit_villages",
    "conduct",
    "grid_funding",
    "work_list",
    "disclosure",
    "run",
];

const BUILT_IN: &[(&str, &str)] = &[
    ("visit_checks.toml", include_str!("../../schemas/policies/visit_checks.toml")),
    ("fact_rules.toml", include_str!("../../schemas/policies/fact_rules.toml")),
    ("grade_scale.toml", include_str!("../../schemas/policies/grade_scale.toml")),
    ("vetoes.toml", include_str!("../../schemas/policies/vetoes.toml")),
    ("limits.toml", include_str!("../../schemas/policies/limits.toml")),
    ("partition.toml", include_str!("../../schemas/policies/partition.toml")),
    ("coverage_targets.toml", include_str!("../../schemas/policies/coverage_targets.toml")),
    ("officers.toml", include_str!("../../schemas/policies/officers.toml")),
    ("credit_villages.toml", include_str!("../../schemas/policies/credit_villages.toml")),
    ("conduct.toml", include_str!("../../schemas/policies/conduct.toml")),
    ("grid_funding.toml", include_str!("../../schemas/policies/grid_funding.toml")),
    ("work_list.toml", include_str!("../../schemas/policies/work_list.toml")),
    ("disclosure.toml", include_str!("../../schemas/policies/disclosure.toml")),
    ("run.toml", include_str!("../../schemas/policies/run.toml")),
    ("scorecards/business.toml", include_str!("../../schemas/policies/scorecards/business.toml")),
    ("scorecards/farm_household.toml", include_str!("../../schemas/policies/scorecards/farm_household.toml")),
    ("scorecards/resident.toml", include_str!("../../schemas/policies/scorecards/resident.toml")),
];

/// Where the rulebook of a run comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RulebookPlace {
    /// The files of `schemas/policies` as they were when the program was built.
    BuiltIn,
    /// A bank's own folder, complete and of the same layout.
    Folder(PathBuf),
}

/// The text of every file of a rulebook by its name below the folder, with `/` between: `scorecards/resident.toml`.
pub type RulebookTexts = BTreeMap<String, String>;

impl RulebookPlace {
    /// A file's path as people know it: below the bank's folder as they wrote it, or below `policies`.
    pub fn shown(&self, name: &str) -> String {
        match self {
            RulebookPlace::BuiltIn => format!("policies/{name}"),
            RulebookPlace::Folder(folder) => folder.join(name).display().to_string(),
        }
    }

    /// Reads the `.toml` files of the folder and of the folders in it; hidden ones and other files are not part of it.
    pub fn texts(&self) -> Result<RulebookTexts> {
        match self {
            RulebookPlace::BuiltIn => {
                Ok(BUILT_IN.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect())
            }
            RulebookPlace::Folder(folder) => {
                let mut texts = RulebookTexts::new();
                let mut faults = Vec::new();
                read_folder(folder, "", &mut texts, &mut faults);
                if faults.is_empty() { Ok(texts) } else { Err(Error::Refused(faults)) }
            }
        }
    }
}

/// `below` is empty for the rulebook's folder itself, and the name of a folder in it with `/` after it.
fn read_folder(folder: &Path, below: &str, texts: &mut RulebookTexts, faults: &mut Vec<Fault>) {
    let entries = match fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>) {
        Ok(entries) => entries,
        Err(error) => return faults.push(unreadable(folder, &error)),
    };
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() && below.is_empty() {
            read_folder(&path, &format!("{name}/"), texts, faults);
        } else if name.ends_with(".toml") {
            // What is not UTF-8 is kept as replacement characters, which the reader of the file refuses with their lines.
            match fs::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()) {
                Ok(text) => drop(texts.insert(format!("{below}{name}"), text)),
                Err(error) => faults.push(unreadable(&path, &error)),
            }
        }
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    Fault::new(format!("could not read `{}` of the rulebook", path.display()))
        .caused_by(error)
        .hint("a rulebook is a folder of files laid out like the built-in one, `schemas/policies`")
}
