//! One run at a time for a folder of runs. The system keeps the lock and lets go of it when the process ends, however it
//! ends; who holds it stands in the file, for the one who has to wait.

use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::fault::{Error, Fault, Result};

use super::files;

/// Keeps a second run of the same bank away until it is dropped or the process ends.
pub struct Lock {
    _file: File,
}

/// Takes the lock of a folder of runs, creating the folder where needed, and removes what killed runs left in it.
pub fn lock(runs: &Path) -> Result<Lock> {
    files::create_folder(runs)?;
    let path = runs.join(".lock");
    let mut file = files::open_lasting(&path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(is_held(runs, &mut file)),
        Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path, &error)),
    }
    let holder = format!("process {} on {}\n", std::process::id(), host());
    let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(holder.as_bytes()));
    written.map_err(|error| Error::io("write", &path, &error))?;
    super::sweep::sweep(runs)?;
    Ok(Lock { _file: file })
}

/// The lock of a folder of runs that is there already; None where nothing was ever published.
pub fn lock_existing(runs: &Path) -> Result<Option<Lock>> {
    if runs.is_dir() { lock(runs).map(Some) } else { Ok(None) }
}

fn is_held(runs: &Path, file: &mut File) -> Error {
    let mut holder = String::new();
    let told = file.read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
    let who = if told { format!(": {}", holder.trim()) } else { String::new() };
    let fault = Fault::new(format!("another run is writing to `{}`{who}", runs.display()));
    Error::could_not_run(fault.hint("wait until it has ended, or give this run another `--out`"))
}

/// The machine's name, for people who look for the process.
fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "this host".to_string() } else { format!("`{}`", name.trim()) }
}
