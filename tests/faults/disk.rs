//! A disk that is full, a limit on the size of files, folders that nobody may write to or read: exit 1 with the file
//! and the reason, nothing visible, nothing hidden left, what was published before untouched, and a run once there is
//! room.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::digests::digests;
use crate::support::program::Outcome;
use crate::support::scratch::scratch;
use crate::support::{read, repository};

use super::{
    AS_OF, BEFORE, assert_nothing_published, assert_whole, can_run, copy_of_sample, entries, message, night, recovers,
    standing, tell, within_patience, without_privileges,
};

/// Sizes of disks in KiB on which the second night of the sample bank finds no room.
const TOO_SMALL: [u32; 9] = [16, 48, 96, 160, 256, 352, 448, 512, 576];
/// Limits of a file's size in KiB below which some file of that night is too large.
const FILE_LIMITS: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];

/// In a mount namespace of its own: a disk with last month's run and so much room left, tonight's night upon it, and a
/// copy of what it leaves.
const ON_A_SMALL_DISK: &str = r#"
mount -t tmpfs -o size=100m,mode=700 none "$disk" && cp -R "$before"/. "$disk" || exit 77
used=$(df -k --output=used "$disk" | tail -1)
mount -o remount,size=$((used + size))k "$disk" || exit 77
"$@"
exit=$?
cp -R "$disk" "$copy" && exit $exit
"#;

#[test]
fn a_full_disk_leaves_what_was_published_before() {
    if !can_mount() {
        tell("skipped: nights on a full disk, as nobody may mount one here");
        return;
    }
    let folder = scratch();
    let (bank, before, disk) = (folder.path().join("bank"), folder.path().join("before"), folder.path().join("disk"));
    copy_of_sample("bank", &bank);
    std::fs::create_dir(&disk).unwrap();
    recovers(&mut night(&bank, BEFORE, &before), "nothing");
    for size in TOO_SMALL {
        let copy = folder.path().join(format!("left-{size}"));
        let outcome = night_on_disk(size, &disk, &before, &bank, &copy);
        let said = format!("a disk with {size} KiB left: {}", outcome.shown(&[]));
        assert_eq!(outcome.exit, 1, "{said}");
        assert!(message(&outcome).contains(&disk.display().to_string()), "{said}");
        assert!(outcome.stderr.contains("No space left on device"), "{said}");
        let found = assert_whole(&copy, &said);
        assert_eq!(found.runs.len(), 1, "{said}");
        assert!(!copy.join(AS_OF).exists(), "an as-of date without a run is left: {said}");
        assert_eq!(read(&copy.join("latest.json")), read(&before.join("latest.json")), "{said}");
        recovers(&mut night(&bank, AS_OF, &copy), &said);
        assert_whole(&copy, &said);
    }
}

/// Whether a disk can be mounted in a namespace of its own.
pub fn can_mount() -> bool {
    can_run("unshare", &["-Urm", "mount", "-t", "tmpfs", "none", "/mnt"])
}

/// A night whose runs stand on a disk with so many KiB left; what is left there is copied before the disk goes.
pub fn night_on_disk(size: u32, disk: &Path, before: &Path, bank: &Path, copy: &Path) -> Outcome {
    let night = night(bank, AS_OF, disk);
    let mut command = Command::new("unshare");
    command.args(["-Urm", "sh", "-c", ON_A_SMALL_DISK, "sh"]).arg(night.get_program()).args(night.get_args());
    command.current_dir(repository()).env("size", size.to_string());
    command.env("disk", disk).env("before", before).env("copy", copy);
    within_patience(&mut command)
}

#[test]
fn a_limit_on_the_size_of_files_leaves_nothing() {
    let folder = scratch();
    let (bank, runs) = (folder.path().join("bank"), folder.path().join("runs"));
    copy_of_sample("bank", &bank);
    for limit in FILE_LIMITS {
        let outcome = within_patience(&mut limited(limit, "trap '' XFSZ;", &night(&bank, AS_OF, &runs)));
        let said = format!("at most {limit} KiB a file: {}", outcome.shown(&[]));
        assert_eq!(outcome.exit, 1, "{said}");
        assert!(message(&outcome).starts_with(&format!("could not write `{}", runs.display())), "{said}");
        assert!(outcome.stderr.contains("File too large"), "{said}");
        assert_nothing_published(&runs, &said);
    }
    recovers(&mut night(&bank, AS_OF, &runs), "limits on files");
}

/// The limit's own signal ends a process that does not ignore it: the same as any other kill.
#[test]
fn a_limit_that_ends_the_process_is_swept_by_the_next_night() {
    let folder = scratch();
    let (bank, runs) = (folder.path().join("bank"), folder.path().join("runs"));
    copy_of_sample("bank", &bank);
    let whole = digests(&recovers(&mut night(&bank, AS_OF, &folder.path().join("whole")), "nothing"));
    for limit in FILE_LIMITS {
        let status =
            limited(limit, "", &night(&bank, AS_OF, &runs)).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(!status.unwrap().success());
        let left = standing(&runs);
        assert!(left.broken.is_empty() && left.runs.is_empty(), "at most {limit} KiB a file: {left:?}");
    }
    let run = recovers(&mut night(&bank, AS_OF, &runs), "limits on files");
    assert_whole(&runs, "limits on files");
    assert_eq!(digests(&run), whole);
}

pub fn limited(limit: u32, before: &str, night: &Command) -> Command {
    let mut command = Command::new("bash");
    // bash counts in KiB, other shells in blocks of half that.
    let script = format!("ulimit -f {limit}; {before} exec \"$@\"");
    command.args(["-c", &script, "bash"]).arg(night.get_program()).args(night.get_args());
    command.current_dir(repository());
    command
}

#[test]
fn folders_and_files_that_may_not_be_touched_are_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = scratch();
    let (bank, runs) = (folder.path().join("bank"), folder.path().join("runs"));
    copy_of_sample("mini", &bank);
    recovers(&mut night(&bank, BEFORE, &runs), "nothing");
    let cases = [
        ("visits.csv", bank.join("visits.csv"), 0o000),
        ("a folder of runs", runs.clone(), 0o550),
        ("the lock", runs.join(".lock"), 0o440),
        ("a folder of runs nobody may look into", runs.clone(), 0o000),
        ("the bank", bank.clone(), 0o000),
    ];
    for (what, path, mode) in cases {
        let Some(mut command) = without_privileges(&night(&bank, AS_OF, &runs)) else {
            tell("skipped: nights without a right to read or write, as this user has every right");
            return;
        };
        let usual = std::fs::metadata(&path).unwrap().permissions();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let outcome = within_patience(&mut command);
        std::fs::set_permissions(&path, usual).unwrap();
        let said = format!("{what}: {}", outcome.shown(&[]));
        assert_eq!(outcome.exit, 1, "{said}");
        assert!(message(&outcome).contains(&path.display().to_string()), "{said}");
        assert!(outcome.stderr.contains("Permission denied"), "{said}");
        assert_eq!(assert_whole(&runs, &said).runs.len(), 1, "{said}");
    }
    recovers(&mut night(&bank, AS_OF, &runs), "rights given back");
}

#[test]
fn a_file_where_runs_should_stand_is_named_and_kept() {
    let folder = scratch();
    let (bank, out) = (folder.path().join("bank"), folder.path().join("out"));
    copy_of_sample("mini", &bank);
    std::fs::write(&out, "kept").unwrap();
    for runs in [out.clone(), out.join("below")] {
        let outcome = within_patience(&mut night(&bank, AS_OF, &runs));
        assert_eq!(outcome.exit, 1, "{}", outcome.shown(&[]));
        assert!(message(&outcome).contains(&out.display().to_string()), "{}", outcome.shown(&[]));
    }
    assert_eq!(read(&out), "kept");
    assert_eq!(entries(folder.path()).len(), 2);
}
