//! What a killed run leaves behind: hidden folders beside the published ones, and files that were to replace
//! `latest.json`. Only names that this program gives are touched; a snapshot folder of a file server is none of them.

use std::fs;
use std::path::Path;

use crate::calendar::Date;
use crate::fault::{Error, Result};

use super::files;

/// How the name of everything begins that is not yet, or no longer, published.
pub(super) const HIDDEN: &str = ".wellfield-";

/// Removes what killed runs left in a folder of runs. The lock says that nobody is still writing it.
pub(super) fn sweep(runs: &Path) -> Result<()> {
    sweep_folder(runs)?;
    for entry in fs::read_dir(runs).map_err(|error| Error::io("look into", runs, &error))? {
        let entry = entry.map_err(|error| Error::io("look into", runs, &error))?;
        let is_day = Date::parse(&entry.file_name().to_string_lossy()).is_some();
        if is_day && entry.path().is_dir() {
            sweep_folder(&entry.path())?;
        }
    }
    Ok(())
}

fn sweep_folder(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(|error| Error::io("look into", folder, &error))? {
        let entry = entry.map_err(|error| Error::io("look into", folder, &error))?;
        if entry.file_name().to_string_lossy().starts_with(HIDDEN) {
            files::remove(&entry.path())?;
        }
    }
    Ok(())
}
