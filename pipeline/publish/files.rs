//! Files and folders as a bank keeps them: readable by owner and group only, synced before anybody relies on them, and
//! read-only once they are published.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use crate::fault::{Error, Result};

/// Never more than this, whatever the umask; a stricter umask still counts.
const FILE_MODE: u32 = 0o640;
const FOLDER_MODE: u32 = 0o750;
/// What nobody may do to a published run, its owner included.
const WRITE: u32 = 0o222;

/// Creates a folder and those above it that are missing, and makes sure that their names last.
pub fn create_folder(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let created = DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path);
    created.map_err(|error| Error::io("create", path, &error))?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent),
        _ => Ok(()),
    }
}

/// Opens a file that stays for reading and writing, creating it where it is missing.
pub fn open_lasting(path: &Path) -> Result<File> {
    let opened = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(FILE_MODE).open(path);
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
    let mode = parent.map_or(0o700, |parent| parent.permissions().mode() & FOLDER_MODE | 0o700);
    set_mode(path, mode)
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

/// Replaces a file at once: a reader sees the old one or the new one. `prefix` begins the name of the file that is
/// there meanwhile.
pub fn replace(path: &Path, bytes: &[u8], prefix: &str) -> Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let permissions = fs::Permissions::from_mode(FILE_MODE);
    let written =
        tempfile::Builder::new().prefix(prefix).permissions(permissions).tempfile_in(folder).and_then(|mut file| {
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)
        });
    written.map_err(|error| Error::io("replace", path, &error))?;
    sync_folder(folder)
}

/// Takes the right to write from a folder and everything in it.
pub fn make_read_only(path: &Path) -> Result<()> {
    for_all(path, &|path, mode| set_mode(path, mode & !WRITE))
}

/// Removes a file or folder, read-only or not.
pub fn remove(path: &Path) -> Result<()> {
    let io = |error| Error::io("remove", path, &error);
    let kind = fs::symlink_metadata(path).map_err(io)?;
    if kind.is_dir() {
        make_writable(path)?;
        fs::remove_dir_all(path).map_err(io)
    } else {
        fs::remove_file(path).map_err(io)
    }
}

/// Gives the owner the right to change the folders below a path: what is in a read-only folder cannot be removed.
fn make_writable(path: &Path) -> Result<()> {
    let mode = fs::metadata(path).map_err(|error| Error::io("look at", path, &error))?.permissions().mode();
    set_mode(path, mode | 0o700)?;
    for entry in fs::read_dir(path).map_err(|error| Error::io("look into", path, &error))? {
        let entry = entry.map_err(|error| Error::io("look into", path, &error))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            make_writable(&entry.path())?;
        }
    }
    Ok(())
}

/// Calls `change` with every file and folder below a path and its mode, the path itself last.
fn for_all(path: &Path, change: &dyn Fn(&Path, u32) -> Result<()>) -> Result<()> {
    let metadata = fs::metadata(path).map_err(|error| Error::io("look at", path, &error))?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path).map_err(|error| Error::io("look into", path, &error))? {
            for_all(&entry.map_err(|error| Error::io("look into", path, &error))?.path(), change)?;
        }
    }
    change(path, metadata.permissions().mode() & 0o7777)
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|error| Error::io("restrict", path, &error))
}
