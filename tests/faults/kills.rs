//! kill -9, hundreds of times: when a stage has just ended, while a run is being published, at every call that changes
//! the disk (where `strace` is there to stop a process at one), and at moments that chance picks. After each kill
//! nothing half is visible, and the next night publishes what an undisturbed one publishes and sweeps what is left.

mod calls;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use crate::support::copy_folder;
use crate::support::digests::digests;
use crate::support::program::wellfield;
use crate::support::scratch::{make_writable, scratch};

use super::{
    AS_OF, BEFORE, PATIENCE, Random, Standing, assert_whole, broken, copy_of_sample, entries, measured, night,
    recovers, standing, tell,
};

/// Kills that must have met a living process.
const KILLS_MIN: usize = 200;
const KILLS_BY_CHANCE: usize = 110;
/// Where no process can be stopped at a call, chance has to find those moments too.
const KILLS_BY_CHANCE_ALONE: usize = 220;
/// The last kill by chance; nights differ in speed, and one that has ended cannot be killed.
const THOUSANDTHS_MAX: usize = 950;
/// Lines that a night tells before and after its stages.
const LINES: usize = 16;
/// Two at a time, as many as the smallest machine has cores.
const WORKERS: usize = 2;

/// What was published before the night that is killed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Scene {
    FirstNight,
    SecondNight,
}

#[derive(Clone, Copy)]
enum Moment {
    /// A line of the log has just been told.
    Line(usize),
    Publishing(Sign),
    /// So many thousandths of an undisturbed night's time.
    Chance(usize),
    /// The process makes its nth call of this name; the number counts for each of its threads.
    Call(&'static str, usize),
}

/// How far a run has come that is being published, as it can be seen in its folder.
#[derive(Clone, Copy)]
enum Sign {
    HiddenFiles(usize),
    Manifest,
    Visible,
}

impl Moment {
    fn kind(self) -> &'static str {
        match self {
            Moment::Line(_) => "at the end of a stage",
            Moment::Publishing(_) => "while publishing",
            Moment::Chance(_) => "by chance",
            Moment::Call(..) => "at a call that changes the disk",
        }
    }
}

/// The undisturbed night of a scene.
struct Undisturbed {
    /// The runs before it, to be copied.
    runs: PathBuf,
    digests: BTreeMap<String, String>,
    lasts: Duration,
}

#[derive(Default)]
struct Tally {
    kills: BTreeMap<&'static str, usize>,
    too_late: usize,
    half_runs: Vec<String>,
    /// Kills after which hidden files were left, all of them swept by the next night.
    swept: usize,
    /// Kills after which the run was visible and `latest.json` did not point to it yet.
    pointer_mended: usize,
    nights_after: usize,
}

#[test]
fn a_killed_night_leaves_nothing_visible_and_the_next_one_is_whole() {
    let folder = scratch();
    let bank = folder.path().join("bank");
    copy_of_sample("bank", &bank);
    let scenes = [Scene::FirstNight, Scene::SecondNight].map(|scene| (scene, undisturbed(scene, &bank, folder.path())));
    let scenes = BTreeMap::from(scenes);
    let plans = Mutex::new(plans(&bank, folder.path()).into_iter().enumerate());
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let next = plans.lock().unwrap().next();
                    let Some((number, (scene, moment))) = next else { return };
                    let runs = folder.path().join(format!("runs-{number}"));
                    kill_and_recover(&bank, &runs, &scenes[&scene], moment, &tally);
                    make_writable(&runs);
                    std::fs::remove_dir_all(&runs).unwrap();
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap();
    let kills: usize = tally.kills.values().sum();
    let by_kind: Vec<String> = tally.kills.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    tell(&format!(
        "kill -9 of {kills} nights: {}; {} came too late; visible half-runs {}; leftovers swept after {}; pointer \
         mended after {}; nights afterwards {}, all published the bytes of an undisturbed one",
        by_kind.join(", "),
        tally.too_late,
        tally.half_runs.len(),
        tally.swept,
        tally.pointer_mended,
        tally.nights_after
    ));
    assert!(tally.half_runs.is_empty(), "{:?}", tally.half_runs);
    assert!(kills >= KILLS_MIN, "only {kills} kills met a living process");
}

fn undisturbed(scene: Scene, bank: &Path, folder: &Path) -> Undisturbed {
    let name = if scene == Scene::FirstNight { "first" } else { "second" };
    let (runs, whole) = (folder.join(format!("before-{name}")), folder.join(format!("whole-{name}")));
    std::fs::create_dir(&runs).unwrap();
    if scene == Scene::SecondNight {
        recovers(&mut night(bank, BEFORE, &runs), "nothing");
    }
    copy_folder(&runs, &whole);
    let mut run = PathBuf::new();
    let lasts = measured(|| run = recovers(&mut night(bank, AS_OF, &whole), "nothing"));
    Undisturbed { runs, digests: digests(&run), lasts }
}

/// Every kill that is tried, in a fixed order.
fn plans(bank: &Path, folder: &Path) -> Vec<(Scene, Moment)> {
    let mut moments: Vec<Moment> = (0..LINES).flat_map(|line| [Moment::Line(line); 2]).collect();
    for sign in [0, 1, 3, 6, 9, 12, 15, 17, 19, 21].map(Sign::HiddenFiles).into_iter().chain([Sign::Manifest]) {
        moments.extend([Moment::Publishing(sign); 2]);
    }
    moments.extend([Moment::Publishing(Sign::Visible); 6]);
    let calls = calls::that_change_the_disk(&mut night(bank, AS_OF, &folder.join("traced")));
    if calls.is_none() {
        tell("skipped: kills at calls that change the disk, as there is no `strace` that may trace here");
    }
    let (mut random, by_chance) = (Random(5), if calls.is_some() { KILLS_BY_CHANCE } else { KILLS_BY_CHANCE_ALONE });
    moments.extend((0..by_chance).map(|_| Moment::Chance(random.below(THOUSANDTHS_MAX))));
    moments.extend(calls.into_iter().flatten().map(|(name, number)| Moment::Call(name, number)));
    let scenes = [Scene::FirstNight, Scene::SecondNight].into_iter().cycle();
    scenes.zip(moments).collect()
}

fn kill_and_recover(bank: &Path, runs: &Path, undisturbed: &Undisturbed, moment: Moment, tally: &Mutex<Tally>) {
    copy_folder(&undisturbed.runs, runs);
    let before = standing(runs);
    let status = killed(&mut night(bank, AS_OF, runs), runs, undisturbed.lasts, moment);
    let left = standing(runs);
    let is_killed = status.signal() == Some(9);
    assert!(is_killed || status.success(), "the night ended by itself with {status}");
    let after = format!("a kill {}", moment.kind());
    let run = recovers(&mut night(bank, AS_OF, runs), &after);
    let found = assert_whole(runs, &after);
    assert_eq!(found.latest.as_ref(), Some(&run), "after {after}");
    assert_eq!(found.runs.len(), before.runs.len() + 1, "after {after}");
    assert!(digests(&run) == undisturbed.digests, "after {after} the night publishes other bytes");
    let mut tally = tally.lock().unwrap();
    tally.nights_after += 1;
    if !is_killed {
        tally.too_late += 1;
        return;
    }
    *tally.kills.entry(moment.kind()).or_default() += 1;
    tally.swept += usize::from(!left.hidden.is_empty());
    tally.pointer_mended += usize::from(left.runs.len() > before.runs.len() && left.latest == before.latest);
    tally.half_runs.extend(half_runs(&left, &before));
}

/// What is visible after a kill and should not be: half a run, or a pointer to neither the old nor a whole new run.
fn half_runs(left: &Standing, before: &Standing) -> Vec<String> {
    let mut half = left.broken.clone();
    if before.latest.is_some() && left.latest.is_none() {
        half.push("`latest.json` points nowhere".into());
    }
    half
}

/// Starts a night and kills it; how it ended.
fn killed(night: &mut Command, runs: &Path, lasts: Duration, moment: Moment) -> ExitStatus {
    if let Moment::Call(name, number) = moment {
        return calls::killed_at(night, name, number);
    }
    let mut child = night.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    match moment {
        Moment::Line(number) => drop(lines.nth(number)),
        Moment::Publishing(sign) => wait_for(sign, &mut child, runs),
        Moment::Chance(thousandths) => std::thread::sleep(lasts.mul_f64(thousandths as f64 / 1000.0)),
        Moment::Call(..) => {}
    }
    let _ = child.kill();
    child.wait().unwrap()
}

/// Waits until the run's folder shows how far it has come, or the process has ended.
fn wait_for(sign: Sign, child: &mut Child, runs: &Path) {
    let (day, start) = (runs.join(AS_OF), std::time::Instant::now());
    while start.elapsed() < PATIENCE && child.try_wait().unwrap().is_none() {
        let is_hidden = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with('.');
        let (hidden, visible): (Vec<PathBuf>, Vec<PathBuf>) = entries_now(&day).into_iter().partition(is_hidden);
        let is_there = match sign {
            Sign::HiddenFiles(count) => hidden.iter().any(|folder| entries_now(folder).len() >= count),
            Sign::Manifest => hidden.iter().any(|folder| folder.join("manifest.json").exists()),
            Sign::Visible => !visible.is_empty(),
        };
        if is_there {
            return;
        }
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// The entries of a folder that may vanish meanwhile.
fn entries_now(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// What is pruned goes away run by run: a kill leaves each run whole or out of sight.
#[test]
fn a_killed_prune_leaves_whole_runs() {
    let folder = scratch();
    let (bank, before) = (folder.path().join("bank"), folder.path().join("before"));
    copy_of_sample("mini", &bank);
    for day in ["2026-04-30", BEFORE, AS_OF] {
        recovers(night(&bank, day, &before).args(["--previous", "none"]), "nothing");
    }
    let prune = |runs: &Path| {
        let mut command = wellfield();
        command.arg("prune").arg(&bank).args(["--keep", "1", "--out"]).arg(runs);
        command
    };
    let traced = folder.path().join("traced");
    copy_folder(&before, &traced);
    let Some(calls) = calls::that_change_the_disk(&mut prune(&traced)) else {
        tell("skipped: kills of `prune`, as there is no `strace` that may trace here");
        return;
    };
    let (mut kills, mut left_hidden) = (0, 0);
    for (name, number) in calls {
        let runs = folder.path().join("runs");
        copy_folder(&before, &runs);
        kills += usize::from(calls::killed_at(&mut prune(&runs), name, number).signal() == Some(9));
        let left = standing(&runs);
        assert!(left.broken.is_empty() && left.latest.is_some(), "{name} {number}: {left:?}");
        left_hidden += usize::from(!left.hidden.is_empty());
        let outcome = super::within_patience(&mut prune(&runs));
        assert_eq!(outcome.exit, 0, "{}", outcome.shown(&[]));
        let found = assert_whole(&runs, "a second prune");
        assert_eq!((found.runs.len(), found.runs.first()), (1, found.latest.as_ref()));
        assert!(found.runs.iter().all(|run| broken(run).is_empty()) && !entries(&runs).is_empty());
        make_writable(&runs);
        std::fs::remove_dir_all(&runs).unwrap();
    }
    tell(&format!(
        "kill -9 of {kills} prunes at calls that change the disk; half-runs 0; hidden left after {left_hidden}"
    ));
    assert!(kills > 0);
}
