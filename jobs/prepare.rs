//! What every verb that looks at a bank does first: contracts, the bank's folder, the rulebook in force, the tables,
//! and the earlier run.

use std::path::{Path, PathBuf};

use wellfield::calendar::Date;
use wellfield::clean::{self, CleanBank, NoLogs};
use wellfield::contract::Contracts;
use wellfield::fault::{Collector, Error, Fault, Result};
use wellfield::night::{Logs, Taken};
use wellfield::previous::Previous;
use wellfield::read::bank::Bank;
use wellfield::read::published::{self, PublishedRun};
use wellfield::rulebook::{FACTS, Rulebook, RulebookPlace};
use wellfield::visits::Room;
use wellfield::watch::{self, Watch};

use crate::options::Nightly;

/// A bank that was read and checked, with the rules in force.
pub struct Prepared {
    pub contracts: Contracts,
    pub bank: Bank,
    pub rulebook: Rulebook,
    pub cleaned: CleanBank,
}

/// Opens a bank and reads its rulebook and tables.
pub fn prepare(folder: &Path, as_of: Date, rulebook: Option<&Path>, watch: &mut Watch) -> Result<Prepared> {
    let contracts = Contracts::built_in()?;
    let bank = Bank::open(folder, &contracts)?;
    prepare_bank(bank, contracts, as_of, rulebook, watch)
}

/// Reads the rulebook and tables of a bank that was opened; refuses with the faults of both at once.
pub fn prepare_bank(
    bank: Bank,
    contracts: Contracts,
    as_of: Date,
    rulebook: Option<&Path>,
    watch: &mut Watch,
) -> Result<Prepared> {
    let clean =
        |bank: &Bank, contracts: &Contracts, _: Option<&Rulebook>| Ok((clean::clean(bank, contracts, as_of)?, ()));
    prepare_with(bank, contracts, as_of, rulebook, watch, clean).map(|(prepared, ())| prepared)
}

/// As `prepare_bank`, for a night: logs are taken in as they are cleaned, and are not in memory as a whole.
pub fn prepare_night(
    bank: Bank,
    contracts: Contracts,
    options: &Nightly,
    watch: &mut Watch,
) -> Result<(Prepared, Option<Taken>)> {
    let clean = |bank: &Bank, contracts: &Contracts, rulebook: Option<&Rulebook>| {
        // Of a bank that is refused for its rulebook only the faults are looked for.
        let Some(rulebook) = rulebook else {
            return Ok((clean::clean_with(bank, contracts, options.as_of, &mut NoLogs)?, None));
        };
        let room = |visits: u64| room(options, visits);
        let mut logs = Logs::new(rulebook, contracts, &room);
        let cleaned = clean::clean_with(bank, contracts, options.as_of, &mut logs)?;
        Ok((cleaned, logs.taken()))
    };
    prepare_with(bank, contracts, options.as_of, options.rulebook.as_deref(), watch, clean)
}

/// The part of a run's memory in which visits may wait for their check.
const VISITS_SHARE: u64 = 8;

/// How much room there is for so many visits.
fn room(options: &Nightly, visits: u64) -> Room {
    match (options.shards, options.memory_max.or_else(watch::memory_bytes)) {
        (Some(shards), _) => Room::in_shards(usize::from(shards)),
        (None, Some(bytes)) => Room::of(visits, bytes / VISITS_SHARE),
        (None, None) => Room::enough(),
    }
}

fn prepare_with<T>(
    bank: Bank,
    contracts: Contracts,
    as_of: Date,
    rulebook: Option<&Path>,
    watch: &mut Watch,
    clean: impl FnOnce(&Bank, &Contracts, Option<&Rulebook>) -> Result<(CleanBank, T)>,
) -> Result<(Prepared, T)> {
    let mut collector = Collector::default();
    let place = rulebook_place(&bank, rulebook);
    let rules = collector.take(Rulebook::load(&place, as_of, FACTS))?;
    let cleaned = watch.stage(
        "clean",
        |cleaned: &Option<(CleanBank, T)>| {
            cleaned.as_ref().map_or(0, |(cleaned, _)| cleaned.counts.values().map(|counts| counts.read).sum())
        },
        || collector.take(clean(&bank, &contracts, rules.as_ref())),
    )?;
    collector.refuse()?;
    let (Some(rulebook), Some((cleaned, more))) = (rules, cleaned) else {
        return Err(Error::internal("a refused rulebook or bank went on"));
    };
    Ok((Prepared { contracts, bank, rulebook, cleaned }, more))
}

/// The rulebook that the command line names, else the bank's own, else the one built into the program.
pub fn rulebook_place(bank: &Bank, named: Option<&Path>) -> RulebookPlace {
    match (named, &bank.rulebook) {
        (Some(folder), _) => RulebookPlace::Folder(folder.to_path_buf()),
        (None, Some(folder)) => RulebookPlace::Folder(bank.folder.join(folder)),
        (None, None) => RulebookPlace::BuiltIn,
    }
}

/// A path from the root of the file system, for those who read it elsewhere.
pub fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| Error::io("find", path, &error))
}

/// Where a bank's runs are published.
pub fn runs_folder(bank: &Path, out: Option<&Path>) -> PathBuf {
    out.map_or_else(|| bank.join("runs"), Path::to_path_buf)
}

/// The run to look back at: the named one, none when told so, else the newest with an earlier as-of date.
pub fn previous_run(runs: &Path, named: Option<&str>, as_of: Date) -> Result<Option<PublishedRun>> {
    let Some(name) = named else { return published::latest_before(runs, as_of) };
    if name == "none" {
        return Ok(None);
    }
    let run = published::find(runs, name)?;
    if run.as_of >= as_of {
        let fault = Fault::new(format!("run `{name}` is as of {}, which is not before {as_of}", run.as_of));
        return Err(Error::wrong_usage(fault.hint("name an earlier run, or `none`")));
    }
    Ok(Some(run))
}

/// The run that a published run looked back at, which must still be there: without it grades may be others.
pub fn looked_back_at(run: &PublishedRun, runs: &Path, hint: &str) -> Result<Option<PublishedRun>> {
    let Some(id) = &run.previous_run_id else { return Ok(None) };
    let found = published::list(runs)?.into_iter().find(|known| known.run_id == *id);
    found.map(Some).ok_or_else(|| {
        let (named, runs) = (&run.run_id, runs.display());
        Error::could_not_run(
            Fault::new(format!("run `{named}` looked back at run `{id}`, which is not in `{runs}`")).hint(hint),
        )
    })
}

/// What the earlier run said.
pub fn previous(run: Option<&PublishedRun>) -> Result<Previous> {
    run.map_or_else(|| Ok(Previous::default()), published::previous)
}
