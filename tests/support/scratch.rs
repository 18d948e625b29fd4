//! Folders that tests publish runs in. Published runs are read-only, and only a privileged user could remove them as
//! they stand, so everything below such a folder is given back to its owner before it goes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// A folder that goes with its value, read-only runs in it or not.
pub struct Scratch(tempfile::TempDir);

pub fn scratch() -> Scratch {
    Scratch(tempfile::tempdir().unwrap())
}

impl Scratch {
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        make_writable(self.path());
    }
}

/// Gives the owner the right to change a file, or a folder and everything in it; what cannot be changed stays as it is.
pub fn make_writable(path: &Path) {
    let Ok(metadata) = fs::symlink_metadata(path) else { return };
    if metadata.is_symlink() {
        return;
    }
    let is_folder = metadata.is_dir();
    let given = if is_folder { 0o700 } else { 0o600 };
    let _ = fs::set_permissions(path, fs::Permissions::from_mode(metadata.permissions().mode() | given));
    if is_folder {
        fs::read_dir(path).into_iter().flatten().flatten().for_each(|entry| make_writable(&entry.path()));
    }
}
