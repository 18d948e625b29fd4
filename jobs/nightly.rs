//! `wellfield nightly`: the main job. Reads a bank, rates its households, audits the result and publishes it. Whatever
//! comes of it, those who asked are told in the forms of their tools.

use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use wellfield::audit::{Allowance, Allowed};
use wellfield::contract::Contracts;
use wellfield::fault::{Error, Fault, Result};
use wellfield::lineage;
use wellfield::manifest::{InputEntry, Manifest, PreviousEntry, RulebookEntry};
use wellfield::metrics;
use wellfield::night::{self, Taken};
use wellfield::previous::Previous;
use wellfield::publish::{self, Lock};
use wellfield::read;
use wellfield::read::bank::Bank;
use wellfield::read::published::{self, EarlierVintage, MadeFrom, PublishedRun};
use wellfield::regulator::Vintage;
use wellfield::report::{NightReport, Outcome};
use wellfield::watch::{self, Moment, Progress, Watch};

use crate::delivery::Rated;
use crate::log::Log;
use crate::options::Nightly;
use crate::panic;
use crate::prepare::{self, Prepared};
use crate::{memory, terminal, threads};

pub fn run(options: &Nightly, log: &Log) -> Result<()> {
    let runs = prepare::absolute(&prepare::runs_folder(&options.bank, options.out.as_deref()))?;
    let (name, folder) = (options.bank.display().to_string(), prepare::absolute(&options.bank)?);
    let mut report = NightReport::begin(name, folder, runs, options.as_of, Moment::now());
    let mut tell = |progress: &Progress| {
        log.progress(progress);
        if matches!(progress, Progress::Ended(_)) {
            memory::give_back();
        }
    };
    let mut watch = Watch::new(&mut tell).with_memory_max(options.memory_max);
    let outcome = panic::caught(|| rate_and_publish(options, log, &mut watch, &mut report));
    log.finish();
    report.stages = watch.costs().to_vec();
    report.ended = Moment::now();
    if let Err(error) = &outcome {
        report.fail(error);
    }
    let told = tell_schedulers(options, &report);
    if let Ok(published) = &outcome {
        terminal::tell(published.display())?;
    }
    outcome.and(told)
}

fn rate_and_publish(options: &Nightly, log: &Log, watch: &mut Watch, report: &mut NightReport) -> Result<PathBuf> {
    let tonight = Tonight::begin(options, watch, report)?;
    tonight.prepared.cleaned.remarks.iter().for_each(|remark| log.remark(remark));
    log.name_run(&tonight.run_id);
    let folder = publish::run_folder(&tonight.runs, options.as_of, &tonight.run_id);
    if folder.exists() {
        let run = published::open(&folder)?;
        point_to_newest(&tonight.runs)?;
        still_whole(&run)?;
        *report = report.with_run(&Manifest::of_run(&run)?, Outcome::AlreadyPublished, report.ended);
        log.remark("already published: the same inputs and rules gave this run before");
        return Ok(folder);
    }
    tonight.rate(options, log, watch, report)
}

/// A run that is there already is as good as one published now only while it is what was published.
fn still_whole(run: &PublishedRun) -> Result<()> {
    let faults = published::verify(run)?.faults;
    let hint = "the same inputs and rules give this run again once its folder is moved away";
    let about = format!("`{}` is published already, and is not what was published", run.folder.display());
    let about = std::iter::once(Fault::new(about).hint(hint));
    if faults.is_empty() { Ok(()) } else { Err(Error::CouldNotRun(about.chain(faults).collect())) }
}

/// What is known before anything is computed. The lock is held until the end.
struct Tonight {
    prepared: Prepared,
    /// What was kept of the bank's logs.
    taken: Option<Taken>,
    runs: PathBuf,
    _lock: Lock,
    memory: memory::Kept,
    earlier_run: Option<PublishedRun>,
    previous: Previous,
    /// What an earlier run of the same as-of date gave to the regulator.
    vintage: Option<EarlierVintage>,
    made_from: MadeFrom,
    run_id: String,
}

impl Tonight {
    /// Reads what the night looks at. Takes the lock first where runs are published already, so that a second night ends
    /// at once; a bank whose inputs are refused gets no folder of runs.
    fn begin(options: &Nightly, watch: &mut Watch, report: &mut NightReport) -> Result<Tonight> {
        let runs = prepare::runs_folder(&options.bank, options.out.as_deref());
        let lock = publish::lock_existing(&runs)?;
        let contracts = Contracts::built_in()?;
        let mut bank = Bank::open(&options.bank, &contracts)?;
        report.bank.clone_from(&bank.name);
        let files_bytes = read::bytes(&bank, &contracts);
        bank.is_read_in_passing = memory::is_filled_by(files_bytes, watch::memory_bytes());
        let memory = memory::keep(files_bytes, options.memory_max.or_else(watch::memory_bytes));
        threads::start(options.threads)?;
        let (prepared, taken) = prepare::prepare_night(bank, contracts, options, watch)?;
        let cleaned = &prepared.cleaned;
        report.inputs = inputs(&prepared);
        report.tables.clone_from(&cleaned.counts);
        let lock = lock.map_or_else(|| publish::lock(&runs), Ok)?;
        let earlier_run = prepare::previous_run(&runs, options.previous.as_deref(), options.as_of)?;
        let previous = prepare::previous(earlier_run.as_ref())?;
        let vintage = published::latest_vintage(&runs, options.as_of)?;
        let made_from = night::made_from(&prepared.bank, &cleaned.files, &prepared.rulebook, &previous);
        let run_id = made_from.run_id(options.as_of);
        report.run_id = Some(run_id.clone());
        report.previous_run = earlier_run.as_ref().map(PreviousEntry::of);
        Ok(Tonight { prepared, taken, runs, _lock: lock, memory, earlier_run, previous, vintage, made_from, run_id })
    }

    fn rate(self, options: &Nightly, log: &Log, watch: &mut Watch, report: &mut NightReport) -> Result<PathBuf> {
        let Tonight {
            prepared,
            taken,
            runs,
            _lock,
            memory,
            earlier_run,
            previous,
            vintage: earlier,
            made_from,
            run_id,
        } = self;
        let Prepared { contracts, bank, rulebook, cleaned } = prepared;
        let taken = taken.ok_or_else(|| Error::internal("the logs of the bank were not taken in"))?;
        // The program ends soon after the night is published: its memory need not be given back piece by piece.
        let mut night = ManuallyDrop::new(night::rate_taken(cleaned, taken, &previous, &rulebook, &contracts, watch)?);
        let measured = std::mem::take(&mut night.measured);
        memory.no_longer();
        report.tables.clone_from(&night.counts);
        if night.register.is_empty() {
            log.remark("no household is in the run");
        }
        let sequence = publish::next_sequence(&published::list(&runs)?, options.as_of);
        let vintage =
            Vintage { bank: &bank.name, as_of: options.as_of, run_id: &run_id, sequence, made_from: &made_from };
        let manifest = Manifest {
            run_id: run_id.clone(),
            as_of: options.as_of.to_string(),
            program_version: made_from.program_version.clone(),
            sequence,
            bank: bank.name.clone(),
            bank_digest: made_from.bank_digest.clone(),
            rulebook: RulebookEntry::of(&rulebook),
            definitions: made_from.definitions.clone(),
            previous_run: earlier_run.as_ref().map(PreviousEntry::of),
            inputs: report.inputs.clone(),
            tables: night.counts.clone(),
            ..Manifest::default()
        };
        let (night, previous, rulebook, contracts) = (&night, &previous, &rulebook, &contracts);
        let rated = Rated { night, measured, previous, rulebook, contracts, vintage, earlier: earlier.as_ref() };
        let (folder, manifest) = rated.deliver(&runs, manifest, &allowed(options), watch, report)?;
        *report = report.with_run(&manifest, Outcome::Published, report.ended);
        point_to_newest(&runs)?;
        Ok(folder)
    }
}

/// Metrics and lineage, for who asked for them; neither waits for the other. A night that published and could not tell so
/// has still published, and says so with the folder on stdout before it fails.
fn tell_schedulers(options: &Nightly, report: &NightReport) -> Result<()> {
    let metrics = options.metrics.as_ref().map(|path| publish::replace_file(path, metrics::text(report).as_bytes()));
    let lineage = options.lineage.as_ref().map(|path| {
        let events = lineage::events(report, &Contracts::built_in()?)?;
        publish::replace_file(path, events.as_bytes())
    });
    metrics.unwrap_or(Ok(())).and(lineage.unwrap_or(Ok(())))
}

/// What the command line lets pass tonight.
fn allowed(options: &Nightly) -> Allowed {
    let mut allowed = Allowed::default();
    allowed.add(Allowance::Quarantine, &options.allow_quarantine);
    allowed.add(Allowance::Change, &options.allow_change);
    allowed.add(Allowance::Stale, &options.allow_stale);
    allowed
}

/// A run that was killed after its folder became visible left the pointer behind; the next one mends it.
fn point_to_newest(runs: &Path) -> Result<()> {
    match published::list(runs)?.last() {
        Some(newest) => publish::point_to_latest(runs, newest),
        None => Ok(()),
    }
}

/// The files that were read, and how new they are.
fn inputs(prepared: &Prepared) -> Vec<InputEntry> {
    let cleaned = &prepared.cleaned;
    let newest = |table: &str, path: &str| cleaned.newest.get(&(table.to_string(), path.to_string()));
    let entries = cleaned
        .files
        .iter()
        .map(|file| InputEntry::new(file.clone(), newest(&file.table, &file.path).map(ToString::to_string)));
    entries.collect()
}
