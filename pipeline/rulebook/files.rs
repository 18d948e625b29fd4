//! Where a rulebook's files are: built into the program, or in a bank's own folder of the same layout.
//! The only part of the rulebook that touches a disk; leaves what the files say to the readers of the policies.
#![allow(clippy::disallowed_methods)]

use crate::fault::{Error, Fault, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The sub-folder with one file per scorecard, under any name.
pub(super) const SCORECARDS: &str = "scorecards/";

/// The sub-folder with one file per indicator; in a bank's folder it adds to the built-in catalogue, and a file with the
/// name of a built-in one takes its place.
pub(super) const INDICATORS: &str = "indicators/";

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

macro_rules! indicator_files {
    ($($id:literal),+ $(,)?) => { &[$((
        concat!("indicators/", $id, ".toml"),
        include_str!(concat!("../../schemas/policies/indicators/", $id, ".toml")),
    )),+] };
}

/// The built-in catalogue of indicators, in the order of the catalogue's document.
const BUILT_IN_INDICATORS: &[(&str, &str)] = indicator_files![
    "profile_share",
    "fresh_share",
    "grading_share",
    "granting_share",
    "drawing_share",
    "visiting_share",
    "care_visiting_share",
    "account_share",
    "active_share",
    "borrowers_per_1000_households",
    "average_deposit",
    "average_suggested_limit",
    "unsecured_share",
    "first_loan_share",
    "agricultural_balance",
    "all_balance",
    "inclusive_small_balance",
    "agricultural_growth",
    "all_growth",
    "inclusive_small_growth",
    "growth_gap",
    "agricultural_small_share",
    "inclusive_small_customers",
    "bad_loan_share",
    "inclusive_bad_loan_share",
    "average_rate",
    "branches_per_10000_adults",
    "branches_per_1000_km2",
    "points_per_10000_adults",
    "village_service_share",
    "withdrawal_point_share",
    "gridded_area_share",
    "staffed_grid_share",
    "complete_station_share",
    "within_3_km_share",
    "nearest_point_median_m",
    "nearest_point_p90_m",
    "valid_visit_share",
    "issues_resolved_share",
    "resolved_in_grid_share",
    "credit_village_share",
    "stale_profile_share",
    "record_delay_p90_hours",
    "credit_gini",
    "credit_theil",
    "credit_theil_between",
    "inclusion_index",
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

    /// The same for a file of the catalogue, which is the built-in one where the bank has none of its own.
    pub(super) fn shown_indicator(&self, name: &str, text: &str) -> String {
        let is_built_in = BUILT_IN_INDICATORS.contains(&(name, text));
        if is_built_in { RulebookPlace::BuiltIn.shown(name) } else { self.shown(name) }
    }

    /// Reads the `.toml` files of the folder and of the folders in it; hidden ones and other files are not part of it.
    pub fn texts(&self) -> Result<RulebookTexts> {
        match self {
            RulebookPlace::BuiltIn => Ok(owned(BUILT_IN).chain(owned(BUILT_IN_INDICATORS)).collect()),
            RulebookPlace::Folder(folder) => {
                let mut texts: RulebookTexts = owned(BUILT_IN_INDICATORS).collect();
                let mut faults = Vec::new();
                read_folder(folder, "", &mut texts, &mut faults);
                if faults.is_empty() { Ok(texts) } else { Err(Error::Refused(faults)) }
            }
        }
    }
}

fn owned(files: &'static [(&'static str, &'static str)]) -> impl Iterator<Item = (String, String)> {
    files.iter().map(|&(name, text)| (name.to_owned(), text.to_owned()))
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
            match read_regular(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()) {
                Ok(text) => drop(texts.insert(format!("{below}{name}"), text)),
                Err(error) => faults.push(unreadable(&path, &error)),
            }
        }
    }
}

/// A pipe or device under a policy's name would be waited for without end.
fn read_regular(path: &Path) -> std::io::Result<Vec<u8>> {
    if fs::metadata(path)?.is_file() { fs::read(path) } else { Err(std::io::Error::other("it is no regular file")) }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    Fault::new(format!("could not read `{}` of the rulebook", path.display()))
        .caused_by(error)
        .hint("a rulebook is a folder of files laid out like the built-in one, `schemas/policies`")
}
