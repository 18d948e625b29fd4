//! One night at a time: a lock that a living process holds keeps others away and says whose it is; one that a killed
//! process held keeps nobody away. Two nights at once never spoil what is published.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::digests::digests;
use crate::support::program::{self, wellfield};
use crate::support::scratch::scratch;
use crate::support::{copy_folder, read};

use super::{
    AS_OF, BEFORE, assert_nothing_published, assert_whole, copy_of_sample, message, night, recovers, tell,
    within_patience,
};

/// Pairs of nights that are started at once.
const PAIRS: usize = 12;

#[test]
fn a_lock_keeps_others_away_as_long_as_its_holder_lives() {
    let folder = scratch();
    let (bank, runs) = (folder.path().join("bank"), folder.path().join("runs"));
    copy_of_sample("bank", &bank);
    let mut holder = stopped_in_the_middle(&bank, &runs);
    let second = within_patience(&mut night(&bank, AS_OF, &runs));
    let host = read(Path::new("/proc/sys/kernel/hostname"));
    let expected =
        format!("another run is writing to `{}`: process {} on `{}`", runs.display(), holder.id(), host.trim());
    assert_eq!((second.exit, message(&second)), (1, expected.as_str()), "{}", second.shown(&[]));
    assert!(second.stdout.is_empty() && second.stderr.contains("hint: "), "{}", second.shown(&[]));

    holder.kill().unwrap();
    assert_eq!(holder.wait().unwrap().signal(), Some(9));
    assert_nothing_published(&runs, "a holder that was killed in the middle");
    recovers(&mut night(&bank, AS_OF, &runs), "its lock's holder was killed");
    assert_eq!(assert_whole(&runs, "its lock's holder was killed").runs.len(), 1);
}

/// A night that has the lock and is stopped, not ended, while it computes.
fn stopped_in_the_middle(bank: &Path, runs: &Path) -> Child {
    let mut child = night(bank, AS_OF, runs).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("run ")), "the night tells of its stages");
    assert!(Command::new("kill").args(["-STOP", &child.id().to_string()]).status().unwrap().success());
    assert!(child.try_wait().unwrap().is_none(), "the night has ended already");
    assert!(!runs.join("latest.json").exists(), "the night has published already");
    child
}

#[test]
fn who_only_looks_needs_no_lock_and_who_removes_does() {
    let folder = scratch();
    let (bank, runs) = (folder.path().join("bank"), folder.path().join("runs"));
    copy_of_sample("mini", &bank);
    recovers(&mut night(&bank, AS_OF, &runs), "nothing");
    let _lock = wellfield::publish::lock(&runs).unwrap();
    let asked = |verb: &str, arguments: &[&str]| {
        let outcome = program::run(wellfield().arg(verb).arg(&bank).args(arguments).arg("--out").arg(&runs));
        (outcome.exit, outcome.stderr)
    };
    assert_eq!(asked("verify", &["latest"]).0, 0);
    assert_eq!(asked("runs", &[]).0, 0);
    assert_eq!(asked("explain", &["H-1"]).0, 0);
    assert_eq!(asked("prune", &["--keep", "1", "--dry-run"]).0, 0);
    let (exit, stderr) = asked("prune", &["--keep", "1"]);
    assert_eq!(exit, 1, "{stderr}");
    assert!(stderr.contains(&format!("process {} on", std::process::id())), "{stderr}");
}

#[test]
fn two_nights_at_once_publish_one_whole_run() {
    let folder = scratch();
    let (bank, before) = (folder.path().join("bank"), folder.path().join("before"));
    copy_of_sample("bank", &bank);
    recovers(&mut night(&bank, BEFORE, &before), "nothing");
    let alone = folder.path().join("alone");
    copy_folder(&before, &alone);
    let whole = digests(&recovers(&mut night(&bank, AS_OF, &alone), "nothing"));
    let mut ends = std::collections::BTreeMap::<String, usize>::new();
    for pair in 0..PAIRS {
        let runs = folder.path().join(format!("runs-{pair}"));
        // One pair in two meets in a folder that neither has made yet.
        if pair % 2 == 0 {
            copy_folder(&before, &runs);
        }
        let start = || night(&bank, AS_OF, &runs).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let nights = [start(), start()];
        let mut exits = nights.map(|mut night| night.wait().unwrap().code().expect("no signal ends a night"));
        exits.sort_unstable();
        assert!(exits == [0, 0] || exits == [0, 1], "two nights at once end with {exits:?}");
        *ends.entry(format!("{exits:?}")).or_default() += 1;
        let run = recovers(&mut night(&bank, AS_OF, &runs), "two nights at once");
        let found = assert_whole(&runs, "two nights at once");
        assert_eq!(found.runs.len(), 2 - pair % 2);
        assert!(pair % 2 == 1 || digests(&run) == whole, "two nights at once publish other bytes");
    }
    tell(&format!("{PAIRS} pairs of nights at once: exits {ends:?}, each left one whole run"));
}
