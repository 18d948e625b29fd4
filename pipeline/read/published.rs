//! Runs that were published before: where they are, which one a name means, and what tonight's rules look back at.
//! Opens their files; what they mean is in `previous`, how they are written in `publish`.

mod description;
mod made_from;
mod summary;
mod verify;
mod vintage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Int64Type};
use serde::Deserialize;

use crate::calendar::Date;
use crate::fault::{Error, Fault, Result};
use crate::previous::{NoticeDays, Previous, PreviousHousehold};

use super::parquet::ParquetFile;

pub use description::{Description, VersionHead, describe};
pub use made_from::MadeFrom;
pub use summary::{DamagedRun, Latest, RunName, RunSummary, Survey, survey};
pub use verify::{Verified, find_any, verify};
pub use vintage::{EarlierVintage, Observation, REGULATOR, latest_vintage};

/// One published run: its folder and what its manifest says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedRun {
    pub folder: PathBuf,
    pub run_id: String,
    pub as_of: Date,
    /// Of several runs of one as-of date the one published last has the highest.
    pub sequence: u64,
    /// The run that it looked back at.
    pub previous_run_id: Option<String>,
}

#[derive(Deserialize)]
struct ManifestHead {
    run_id: String,
    as_of: String,
    sequence: u64,
    previous_run: Option<PreviousRunHead>,
}

#[derive(Deserialize)]
struct PreviousRunHead {
    run_id: String,
}

/// What a manifest says of one published file.
#[derive(Deserialize)]
struct FileHead {
    path: String,
    bytes: u64,
    digest: String,
}

/// Every published run below `runs` that can be read, by as-of date and sequence. For those who look for one run or
/// the next number; a night that looks back uses `latest_before`, which passes over nothing.
pub fn list(runs: &Path) -> Result<Vec<PublishedRun>> {
    let mut found = Vec::new();
    for (_, day) in days(runs)? {
        found.extend(folders(&day)?.iter().filter_map(|folder| open(folder).ok()));
    }
    found.sort_by_key(|run| (run.as_of, run.sequence));
    Ok(found)
}

/// The folders of as-of dates, in their order.
fn days(runs: &Path) -> Result<Vec<(Date, PathBuf)>> {
    let named = folders(runs)?.into_iter().filter_map(|folder| {
        let name = folder.file_name()?.to_string_lossy().into_owned();
        Some((Date::parse(&name)?, folder))
    });
    Ok(named.collect())
}

/// Visible folders of a folder; none where it does not exist yet.
fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("look into", folder, &error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Error::io("look into", folder, &error))?;
        if entry.path().is_dir() && !entry.file_name().to_string_lossy().starts_with('.') {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// The run in a folder.
pub fn open(folder: &Path) -> Result<PublishedRun> {
    let path = folder.join("manifest.json");
    let text = super::read_text(&path).map_err(|error| damaged(folder, &error))?;
    let head: ManifestHead = serde_json::from_str(&text).map_err(|error| damaged(folder, &error))?;
    let as_of = Date::parse(&head.as_of).ok_or_else(|| damaged(folder, &"`as_of` is no date"))?;
    Ok(PublishedRun {
        folder: folder.to_path_buf(),
        run_id: head.run_id,
        as_of,
        sequence: head.sequence,
        previous_run_id: head.previous_run.map(|run| run.run_id),
    })
}

/// Digest of the definition of every indicator of a run, by the indicator's id; none of a run of an earlier program.
pub fn definitions(run: &PublishedRun) -> Result<BTreeMap<String, String>> {
    #[derive(Deserialize)]
    struct Definitions {
        #[serde(default)]
        definitions: BTreeMap<String, String>,
    }
    let text = manifest_text(run)?;
    let of_run: Definitions = serde_json::from_str(&text).map_err(|error| damaged(&run.folder, &error))?;
    Ok(of_run.definitions)
}

/// The manifest of a run as it stands in its folder.
pub fn manifest_text(run: &PublishedRun) -> Result<String> {
    super::read_text(&run.folder.join("manifest.json")).map_err(|error| damaged(&run.folder, &error))
}

/// A published run that cannot be what was published.
pub fn damaged(folder: &Path, cause: &dyn std::fmt::Display) -> Error {
    let fault = Fault::new(format!("the published run `{}` is damaged", folder.display())).caused_by(cause);
    let hint = "restore it from a backup or move its folder away; `--previous none` starts over without it";
    Error::could_not_run(fault.hint(hint))
}

/// The run with the latest as-of date before `as_of`; of several the one published last. A run of that date that
/// cannot be read is an error: it is not for a night to decide that it never was.
pub fn latest_before(runs: &Path, as_of: Date) -> Result<Option<PublishedRun>> {
    latest_is_there(runs, as_of)?;
    for (_, day) in days(runs)?.into_iter().rev().filter(|(day, _)| *day < as_of) {
        let published = folders(&day)?.iter().map(|folder| open(folder)).collect::<Result<Vec<_>>>()?;
        if let Some(latest) = published.into_iter().max_by_key(|run| run.sequence) {
            return Ok(Some(latest));
        }
    }
    Ok(None)
}

/// A run before `as_of` to which `latest.json` points must not have gone: a night that took an older one, or none, would
/// forget grades that were told to people.
fn latest_is_there(runs: &Path, as_of: Date) -> Result<()> {
    #[derive(Deserialize)]
    struct Latest {
        as_of: String,
        path: String,
    }
    let Ok(text) = super::read_text(&runs.join("latest.json")) else { return Ok(()) };
    let Ok(latest) = serde_json::from_str::<Latest>(&text) else { return Ok(()) };
    let is_before = Date::parse(&latest.as_of).is_some_and(|day| day < as_of);
    let folder = runs.join(&latest.path);
    if !is_before || folder.join("manifest.json").exists() {
        return Ok(());
    }
    let fault =
        Fault::new(format!("the previous run `{}` is missing, and `latest.json` points to it", folder.display()));
    let hint = "restore it from a backup, name another run with `--previous`, or start over with `--previous none`";
    Err(Error::could_not_run(fault.hint(hint)))
}

/// The run that a user means: a run id, an as-of date, `latest`, or the path of a run folder.
pub fn find(runs: &Path, name: &str) -> Result<PublishedRun> {
    if Path::new(name).join("manifest.json").is_file() {
        return open(Path::new(name));
    }
    let known = list(runs)?;
    let found = match (name, Date::parse(name)) {
        ("latest", _) => known.iter().next_back(),
        (_, Some(day)) => known.iter().rfind(|run| run.as_of == day),
        _ => known.iter().rfind(|run| run.run_id == name),
    };
    found.cloned().ok_or_else(|| {
        let fault = Fault::new(format!("there is no published run `{name}` in `{}`", runs.display()));
        let days: Vec<String> = known.iter().map(|run| format!("{} {}", run.as_of, run.run_id)).collect();
        let hint = if days.is_empty() {
            "nothing is published there yet".to_string()
        } else {
            format!("published are: {}", days.join(", "))
        };
        Error::could_not_run(fault.hint(hint))
    })
}

/// What an earlier run said of households and areas, from files that are what its manifest says.
pub fn previous(run: &PublishedRun) -> Result<Previous> {
    let accepted = sound(run, &["household_grades", "grant_limits", "village_ratings", "public_notice"])?;
    let limits = amounts(&table(run, "grant_limits", &["household_id", "suggested_limit"])?, run)?;
    let mut households = Vec::new();
    for (grade, limit) in grades(run)?.into_iter().zip(limits) {
        if grade.household_id != limit.0 {
            return Err(damaged(&run.folder, &"`household_grades` and `grant_limits` hold other households"));
        }
        households.push(PreviousHousehold { suggested_limit: limit.1, ..grade });
    }
    households.sort_by(|one, other| one.household_id.cmp(&other.household_id));
    Ok(Previous { run_id: Some(run.run_id.clone()), accepted, households, stars: stars(run)?, notices: notices(run)? })
}

/// Checks the files of some tables against the manifest, and tells the rows that the run accepted of each input table.
fn sound(run: &PublishedRun, tables: &[&str]) -> Result<BTreeMap<String, u64>> {
    #[derive(Deserialize)]
    struct Manifest {
        tables: BTreeMap<String, Counts>,
        outputs: BTreeMap<String, Output>,
    }
    #[derive(Deserialize)]
    struct Counts {
        accepted: u64,
    }
    #[derive(Deserialize)]
    struct Output {
        files: Vec<FileHead>,
    }
    let text = manifest_text(run)?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| damaged(&run.folder, &error))?;
    for file in tables.iter().filter_map(|table| manifest.outputs.get(*table)).flat_map(|output| &output.files) {
        let found = super::digest(&run.folder.join(&file.path)).map_err(|error| damaged(&run.folder, &error))?;
        if found != (file.bytes, file.digest.clone()) {
            let cause = format!("`{}` does not hold what `manifest.json` says was published", file.path);
            return Err(damaged(&run.folder, &cause));
        }
    }
    Ok(manifest.tables.into_iter().map(|(table, counts)| (table, counts.accepted)).collect())
}

/// Grades, and the final grade of those for whom everything held that a public notice asks for.
fn grades(run: &PublishedRun) -> Result<Vec<PreviousHousehold>> {
    const COLUMNS: [&str; 6] =
        ["household_id", "model_grade", "final_grade", "credit_list", "decision", "notice_consent"];
    let mut households = Vec::new();
    for batch in table(run, "household_grades", &COLUMNS)? {
        let texts = (0..5).map(|position| text_column(&batch, position)).collect::<Option<Vec<_>>>();
        let consents = batch.column(5).as_boolean_opt();
        let Some((texts, consents)) = texts.zip(consents) else {
            return Err(damaged(&run.folder, &"a column of `household_grades` is of another type"));
        };
        for row in 0..batch.num_rows() {
            let text = |position: usize| texts.get(position).map_or("", |column| column.value(row));
            let consents = consents.is_valid(row) && consents.value(row);
            let is_noticed = text(3) == "white" && matches!(text(4), "accept" | "adjust") && consents;
            households.push(PreviousHousehold {
                household_id: text(0).to_string(),
                model_grade: text(1).to_string(),
                suggested_limit: 0,
                noticed_grade: is_noticed.then(|| text(2).to_string()),
            });
        }
    }
    Ok(households)
}

/// Stars by area; none of a run that rated no villages.
fn stars(run: &PublishedRun) -> Result<BTreeMap<String, i64>> {
    let mut stars = BTreeMap::new();
    for batch in table_if_any(run, "village_ratings", &["area_id", "stars"])? {
        let areas = text_column(&batch, 0).ok_or_else(|| damaged(&run.folder, &"`area_id` is no text"))?;
        let counts = batch.column(1).as_primitive_opt::<Int64Type>();
        let counts = counts.ok_or_else(|| damaged(&run.folder, &"`stars` is no count"))?;
        for (area, count) in areas.iter().zip(counts) {
            if let (Some(area), Some(count)) = (area, count) {
                stars.insert(area.to_string(), count);
            }
        }
    }
    Ok(stars)
}

/// Public notices by household; none of a run that published no notice.
fn notices(run: &PublishedRun) -> Result<BTreeMap<String, NoticeDays>> {
    let mut notices = BTreeMap::new();
    for batch in table_if_any(run, "public_notice", &["household_id", "notice_from", "notice_until"])? {
        let days = |position: usize| batch.column(position).as_primitive_opt::<Date32Type>().cloned();
        let columns = text_column(&batch, 0).zip(days(1).zip(days(2)));
        let (ids, (from, until)) =
            columns.ok_or_else(|| damaged(&run.folder, &"a column of `public_notice` is of another type"))?;
        for row in 0..batch.num_rows() {
            let days = NoticeDays { from: Date(from.value(row)), until: Date(until.value(row)) };
            notices.insert(ids.value(row).to_string(), days);
        }
    }
    Ok(notices)
}

/// The batches of a table that runs of an earlier program do not have.
fn table_if_any(run: &PublishedRun, name: &str, columns: &[&str]) -> Result<Vec<RecordBatch>> {
    if has_table(run, name) { table(run, name, columns) } else { Ok(Vec::new()) }
}

/// Whether the run has a table; one of an earlier program may not know it.
pub fn has_table(run: &PublishedRun, name: &str) -> bool {
    run.folder.join(format!("{name}.parquet")).is_file() || run.folder.join(name).is_dir()
}

/// The batches of one output table, as one file or as a folder of parts, with the columns asked for, in that order.
pub fn table(run: &PublishedRun, name: &str, columns: &[&str]) -> Result<Vec<RecordBatch>> {
    let single = run.folder.join(format!("{name}.parquet"));
    let mut parts = vec![single.clone()];
    if !single.is_file() {
        let folder = run.folder.join(name);
        if !folder.is_dir() {
            let fault = Fault::new(format!("the published run `{}` has no table `{name}`", run.folder.display()));
            let hint = "it is of an earlier version of the program, or the file is lost; publish that night again";
            return Err(Error::could_not_run(fault.hint(hint)));
        }
        let entries = std::fs::read_dir(&folder).map_err(|error| damaged(&run.folder, &error))?;
        parts = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        parts.sort();
    }
    let wanted: Vec<String> = columns.iter().map(|column| (*column).to_string()).collect();
    let mut batches = Vec::new();
    for path in parts {
        let file = ParquetFile::open(&path, &path.to_string_lossy()).map_err(|error| damaged(&run.folder, &error))?;
        for group in 0..file.row_groups().len() {
            for batch in file.read_all(group, &wanted).map_err(|error| damaged(&run.folder, &error))? {
                let positions: Option<Vec<usize>> =
                    columns.iter().map(|column| batch.schema().index_of(column).ok()).collect();
                let projected = positions.and_then(|positions| batch.project(&positions).ok());
                batches.push(projected.ok_or_else(|| damaged(&run.folder, &format!("`{name}` lacks a column")))?);
            }
        }
    }
    Ok(batches)
}

fn text_column(batch: &RecordBatch, position: usize) -> Option<arrow::array::StringArray> {
    cast(batch.column(position), &DataType::Utf8).ok()?.as_string_opt::<i32>().cloned()
}

fn amounts(batches: &[RecordBatch], run: &PublishedRun) -> Result<Vec<(String, i64)>> {
    let mut rows = Vec::new();
    for batch in batches {
        let ids = text_column(batch, 0).ok_or_else(|| damaged(&run.folder, &"an identifier is no text"))?;
        let values = batch.column(1).as_primitive_opt::<Decimal128Type>();
        let values = values.ok_or_else(|| damaged(&run.folder, &"an amount is no decimal"))?;
        for row in 0..batch.num_rows() {
            let amount = i64::try_from(values.value(row)).map_err(|error| damaged(&run.folder, &error))?;
            rows.push((ids.value(row).to_string(), amount));
        }
    }
    Ok(rows)
}
