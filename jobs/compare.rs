//! `wellfield compare`: two published runs beside each other, or one beside what another rulebook would make of the same
//! inputs. Publishes nothing; what is compared and how it is worded is the library's.

use std::path::{Path, PathBuf};

use wellfield::clean;
use wellfield::comparison::{self, Comparison, Named, Rules, Side};
use wellfield::contract::Contracts;
use wellfield::fault::{Error, Fault, Result};
use wellfield::night;
use wellfield::read::bank::Bank;
use wellfield::read::published::{self, MadeFrom, PublishedRun};
use wellfield::rulebook::{FACTS, Rulebook};
use wellfield::watch::Watch;

use crate::options::Compare;
use crate::{prepare, terminal};

pub fn run(options: &Compare) -> Result<()> {
    let asked = Asked::of(options)?;
    let comparison = match &asked {
        Asked::Runs { bank, from, to } => runs(options, bank, from, to)?,
        Asked::Rulebook { bank, run, folder } => rulebook(options, bank, run, folder)?,
    };
    match options.json {
        true => terminal::tell_json(&comparison),
        false => terminal::tell(comparison::in_words(&comparison, options.lang.into(), options.all)),
    }
}

/// What is laid beside what.
enum Asked<'a> {
    Runs { bank: PathBuf, from: &'a str, to: &'a str },
    Rulebook { bank: PathBuf, run: &'a str, folder: &'a Path },
}

impl Asked<'_> {
    fn of(options: &Compare) -> Result<Asked<'_>> {
        let names: Vec<&str> = options.names.iter().map(String::as_str).collect();
        let here = || PathBuf::from(".");
        Ok(match (&options.rulebook, names.as_slice()) {
            (Some(folder), []) => Asked::Rulebook { bank: here(), run: "latest", folder },
            (Some(folder), [bank]) => Asked::Rulebook { bank: bank.into(), run: "latest", folder },
            (Some(folder), [bank, run]) => Asked::Rulebook { bank: bank.into(), run, folder },
            (None, [bank, _]) if is_bank(bank) => return Err(too_few()),
            (None, [from, to]) => Asked::Runs { bank: here(), from, to },
            (None, [bank, from, to]) => Asked::Runs { bank: bank.into(), from, to },
            (Some(_), _) => {
                return Err(Error::wrong_usage(Fault::new("two runs and a rulebook are named").hint(USAGE)));
            }
            (None, _) => return Err(too_few()),
        })
    }
}

fn too_few() -> Error {
    Error::wrong_usage(Fault::new("two runs are to be named").hint(USAGE))
}

/// Whether a name is that of a bank's folder, and so of no run.
fn is_bank(name: &str) -> bool {
    Path::new(name).join("bank.toml").is_file()
}

const USAGE: &str = "`wellfield compare [BANK] RUN RUN` compares two runs, \
                     `wellfield compare [BANK] [RUN] --rulebook DIR` a run with another rulebook";

/// The JSON form names every household.
fn named(options: &Compare) -> Named {
    if options.json || options.all { Named::All } else { Named::First(comparison::NAMED) }
}

/// Two published runs.
fn runs(options: &Compare, folder: &Path, from: &str, to: &str) -> Result<Comparison> {
    let runs = prepare::runs_folder(folder, options.out.as_deref());
    let (from, to) = (published::find(&runs, from)?, published::find(&runs, to)?);
    let contracts = Contracts::built_in()?;
    let (from, to) = (Side::published(&from)?, Side::published(&to)?);
    comparison::check_banks(&from, &to)?;
    let bank = Bank::open(folder, &contracts)?;
    let rulebook = Rulebook::load(&prepare::rulebook_place(&bank, None), to.description.as_of, FACTS)?;
    let mut remarks = comparison::remarks(&from, &to, &rulebook);
    let between = comparison::between(&from, &to, &bank, &rulebook, &contracts, &mut remarks)?;
    let rules = Rules { rulebook: &rulebook, policy_files: None };
    comparison::compare(&from, &to, rules, between, named(options), remarks, &contracts)
}

/// A published run beside what the policies of a folder make of the same inputs.
fn rulebook(options: &Compare, folder: &Path, run: &str, policies: &Path) -> Result<Comparison> {
    let runs = prepare::runs_folder(folder, options.out.as_deref());
    let run = published::find(&runs, run)?;
    let contracts = Contracts::built_in()?;
    let bank = Bank::open(folder, &contracts)?;
    let (place, own) = (prepare::rulebook_place(&bank, Some(policies)), prepare::rulebook_place(&bank, None));
    let rulebook = Rulebook::load(&place, run.as_of, FACTS)?;
    let from = Side::published(&run)?;
    let cleaned = clean::clean(&bank, &contracts, run.as_of)?;
    let hint = "bring it back, or compare with a run whose earlier run is there";
    let previous = prepare::previous(prepare::looked_back_at(&run, &runs, hint)?.as_ref())?;
    let made_from = night::made_from(&bank, &cleaned.files, &rulebook, &previous);
    check_inputs(&run, &from.description.made_from, &made_from)?;
    let mut untold = |_: &_| ();
    let night = night::rate(cleaned, &previous, &rulebook, &contracts, &mut Watch::new(&mut untold))?;
    let tables = night.outputs(&previous, &rulebook, &contracts)?;
    let to = Side::computed(&night, made_from, &bank.name, &rulebook, &tables)?;
    // The files of both rulebooks are known only while the bank's own is still that of the run.
    let is_own = Rulebook::load(&own, run.as_of, FACTS)
        .is_ok_and(|own| own.digest == from.description.made_from.rulebook_digest);
    let policy_files = if is_own { Some(comparison::policy_files(&own, &place)?) } else { None };
    let remarks = comparison::remarks(&from, &to, &rulebook);
    let rules = Rules { rulebook: &rulebook, policy_files };
    comparison::compare(&from, &to, rules, None, named(options), remarks, &contracts)
}

/// What another rulebook does can be told only where nothing else differs.
fn check_inputs(run: &PublishedRun, published: &MadeFrom, present: &MadeFrom) -> Result<()> {
    let differing = comparison::inputs(&published.inputs, &present.inputs).into_iter();
    let mut differing: Vec<String> = differing
        .flat_map(|input| [input.changed, input.added, input.removed].concat())
        .map(|path| format!("`{path}`"))
        .collect();
    if present.bank_digest != published.bank_digest {
        differing.insert(0, "`bank.toml`".to_string());
    }
    if differing.is_empty() {
        return Ok(());
    }
    let (as_of, id) = (run.as_of, &run.run_id);
    let fault = Fault::new(format!("the bank's files are not those of run `{id}` any more: {}", differing.join(", ")));
    let hint = format!("publish the night first, `wellfield nightly --as-of {as_of}`, and compare with that run");
    Err(Error::could_not_run(fault.hint(hint)))
}
