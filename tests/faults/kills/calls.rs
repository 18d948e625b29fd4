//! Kills at a call of the system, by `strace`: which calls of a command change the disk, and a run of the command that
//! is killed at one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, ExitStatus, Stdio};

use crate::support::{read, repository};

use super::super::can_run;

/// Calls by which a program changes what stands on disk, or makes sure that it lasts.
const CHANGING: [&str; 15] = [
    "chmod",
    "fchmod",
    "fchmodat",
    "flock",
    "fsync",
    "ftruncate",
    "linkat",
    "mkdir",
    "openat",
    "rename",
    "renameat",
    "rmdir",
    "unlink",
    "unlinkat",
    "write",
];
/// Of the writes to files, which are many and alike, one in so many.
const WRITES_ONE_IN: usize = 5;

fn traced(command: &Command, options: &[&str]) -> Command {
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qq"]).args(options).arg(command.get_program()).args(command.get_args());
    traced.current_dir(repository()).stdout(Stdio::null()).stderr(Stdio::null());
    traced
}

/// The calls of a command that change the disk: name, and place in the order of the calls of that name that its thread
/// makes. None where nothing can be traced.
pub fn that_change_the_disk(command: &mut Command) -> Option<Vec<(&'static str, usize)>> {
    let trace = format!("trace={}", CHANGING.join(","));
    if !can_run("strace", &["-f", "-qq", "-o", "/dev/null", "true"]) {
        return None;
    }
    let log = tempfile::NamedTempFile::new().unwrap();
    let status = traced(command, &["-e", &trace, "-o", log.path().to_str().unwrap()]).status().unwrap();
    assert!(status.success(), "the traced command ended with {status}");
    let mut calls = BTreeMap::new();
    let mut found = BTreeSet::new();
    for line in read(log.path()).lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let Some((name, arguments)) = call.trim_start().split_once('(') else { continue };
        let Some(name) = CHANGING.into_iter().find(|known| *known == name) else { continue };
        let number: &mut usize = calls.entry((thread.to_string(), name)).or_default();
        *number += 1;
        let is_changing = match name {
            "openat" => arguments.contains("O_CREAT"),
            "write" => {
                !arguments.starts_with("1,") && !arguments.starts_with("2,") && number.is_multiple_of(WRITES_ONE_IN)
            }
            _ => true,
        };
        found.extend(is_changing.then_some((name, *number)));
    }
    assert!(found.iter().any(|(name, _)| name.starts_with("rename")), "the trace shows no rename");
    Some(found.into_iter().collect())
}

/// Runs a command that is killed when one of its threads makes its nth call of a name; how it ended.
pub fn killed_at(command: &mut Command, name: &str, number: usize) -> ExitStatus {
    let trace = format!("trace={name}");
    let inject = format!("inject={name}:signal=SIGKILL:when={number}");
    traced(command, &["-o", "/dev/null", "-e", &trace, "-e", &inject]).status().unwrap()
}
