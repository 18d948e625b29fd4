//! Removing published runs that are no longer kept, and counting what killed runs left behind. A run goes by one
//! rename to a hidden name, so that a reader sees it whole or not at all. Which runs go is decided in `listing`.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::calendar::Date;
use crate::fault::{Error, Result};
use crate::read::published::RunSummary;

use super::sweep::HIDDEN;
use super::{Lock, files};

/// Removes runs, the newest first: whenever it is killed, no run is left without the one that it looked back at. The
/// lock says that nobody publishes meanwhile; what a kill leaves hidden goes with the next lock.
pub fn remove_runs(runs: &Path, _lock: &Lock, removed: &[RunSummary]) -> Result<()> {
    for run in removed.iter().rev() {
        let day = runs.join(&run.as_of);
        let (shown, hidden) = (day.join(&run.run_id), day.join(format!("{HIDDEN}{}-removed", run.run_id)));
        fs::rename(&shown, &hidden).map_err(|error| Error::io("rename out of the way", &shown, &error))?;
        files::sync_folder(&day)?;
        files::remove(&hidden)?;
    }
    remove_empty_days(runs)?;
    files::sync_folder(runs)
}

/// Removes the folders of as-of dates that hold nothing any more.
fn remove_empty_days(runs: &Path) -> Result<()> {
    for name in names(runs)? {
        let day = runs.join(&name);
        if Date::parse(&name).is_none() || !day.is_dir() {
            continue;
        }
        match fs::remove_dir(&day) {
            Err(error) if error.kind() != ErrorKind::DirectoryNotEmpty => {
                return Err(Error::io("remove", &day, &error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Hidden files and folders that this program made and did not finish; without the lock they may be of a run that is
/// being written at this moment.
pub fn leftovers(runs: &Path) -> Result<u64> {
    if !runs.is_dir() {
        return Ok(0);
    }
    let mut count = 0;
    for name in names(runs)? {
        count += u64::from(name.starts_with(HIDDEN));
        let day = runs.join(&name);
        if Date::parse(&name).is_some() && day.is_dir() {
            count += names(&day)?.iter().filter(|name| name.starts_with(HIDDEN)).count() as u64;
        }
    }
    Ok(count)
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let io = |error| Error::io("look into", folder, &error);
    let entries = fs::read_dir(folder).map_err(io)?;
    entries.map(|entry| Ok(entry.map_err(io)?.file_name().to_string_lossy().into_owned())).collect()
}
