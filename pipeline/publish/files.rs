//! Files and folders as a bank keeps them: readable by owner and group only, synced before anybody relies on them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use crate::fault::{Error, Result};

/// Never more than this, whatever the umask; a stricter umask still counts.
const FILE_MODE: u32 = 0o640;
const FOLDER_MODE: u32 = 0o750;

/// Creates a folder and those above it that are missing.
pub fn create_folder(path: &Path) -> Result<()> {
    let created = DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path);
    created.map_err(|error| Error::io("create", path, &error))
}

/// Opens a file for writing, creating it where it is missing.
pub fn create_file(path: &Path) -> Result<File> {
    let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(FILE_MODE).open(path);
    opened.map_err(|error| Error::io("open", path, &error))
}

/// A file that must not exist yet.
pub fn create_new(path: &Path) -> Result<File> {
    let opened = OpenOptions::new().create_new(true).write(true).mode(FILE_MODE).open(path);
    opened.map_err(|error| Error::io("create", path, &error))
}

/// Gives a folder that was made for its owner alone to the group as well, as far as the umask of its parent's maker
/// lets published folders be seen.
pub fn restrict_folder(path: &Path) -> Result<()> {
    let parent = path.parent().and_then(|parent| fs::metadata(parent).ok());
    let mode = parent.map_or(0o700, |parent| parent.permissions().mode() & FOLDER_MODE);
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|error| Error::io("restrict", path, &error))
}

pub fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = create_new(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|error| Error::io("write", path, &error))
}

pub fn sync_folder(path: &Path) -> Result<()> {
    let synced = File::open(path).and_then(|folder| folder.sync_all());
    synced.map_err(|error| Error::io("sync", path, &error))
}

/// Replaces a file at once: a reader sees the old one or the new one.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let permissions = fs::Permissions::from_mode(FILE_MODE);
    let written =
        tempfile::Builder::new().prefix(".").permissions(permissions).tempfile_in(folder).and_then(|mut file| {
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)
        });
    written.map_err(|error| Error::io("replace", path, &error))?;
    sync_folder(folder)
}
