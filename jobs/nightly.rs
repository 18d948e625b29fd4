//! `wellfield nightly`: the main job. Reads a bank, rates its households, audits the result and publishes it.

use std::path::{Path, PathBuf};

use wellfield::audit::{self, Allowed, AuditRow};
use wellfield::contract::Contracts;
use wellfield::fault::{Error, Fault, Result};
use wellfield::night::{self, Night};
use wellfield::outputs::OutputTable;
use wellfield::publish;
use wellfield::publish::manifest::{InputEntry, Manifest, PreviousEntry, RulebookEntry};
use wellfield::read::bank::Bank;
use wellfield::read::published::{self, MadeFrom, PublishedRun};
use wellfield::regulator::{self, Export, Vintage};
use wellfield::rulebook::Rulebook;
use wellfield::watch::{StageCost, Watch};

use crate::log::Log;
use crate::options::Nightly;
use crate::prepare::{self, Prepared};
use crate::terminal;

pub fn run(options: &Nightly) -> Result<()> {
    let log = Log::new(options.log);
    let outcome = rate_and_publish(options, &log);
    log.finish();
    terminal::tell(outcome?.display())
}

fn rate_and_publish(options: &Nightly, log: &Log) -> Result<PathBuf> {
    set_threads(options)?;
    let mut tell = |cost: &StageCost| log.stage(cost);
    let mut watch = Watch::new(&mut tell).with_memory_max(options.memory_max);
    let Prepared { contracts, bank, rulebook, cleaned } =
        prepare::prepare(&options.bank, options.as_of, options.rulebook.as_deref(), &mut watch)?;
    cleaned.remarks.iter().for_each(|remark| log.remark(remark));

    let runs = prepare::runs_folder(&options.bank, options.out.as_deref());
    let _lock = publish::lock(&runs)?;
    let earlier_run = prepare::previous_run(&runs, options.previous.as_deref(), options.as_of)?;
    let previous = prepare::previous(earlier_run.as_ref())?;
    let run_id = night::run_id(&bank.text, &cleaned.files, &rulebook, options.as_of, &previous);
    log.name_run(&run_id);
    let folder = publish::run_folder(&runs, options.as_of, &run_id);
    if folder.exists() {
        published::open(&folder)?;
        point_to_newest(&runs)?;
        log.remark("already published: the same inputs and rules gave this run before");
        return Ok(folder);
    }

    let night = night::rate(cleaned, &previous, &rulebook, &contracts, &mut watch)?;
    if night.register.is_empty() {
        log.remark("no household is in the run");
    }
    let outputs = watch.stage("outputs", output_rows, || night.outputs(&previous, &rulebook, &contracts))?;
    let sequence = publish::next_sequence(&published::list(&runs)?, options.as_of);
    let made_from = made_from(&bank, &night, &rulebook, earlier_run.as_ref());
    let vintage = Vintage { bank: &bank.name, as_of: options.as_of, run_id: &run_id, sequence, made_from: &made_from };
    let export = watch.stage("regulator", released_rows, || export(&night, &rulebook, &contracts, &vintage, &runs))?;
    let allowed = allowed(options);
    let (inputs, released) = (&night.cleaned, &export.table.batch);
    let checks = watch.stage(
        "audit",
        |checks: &Vec<AuditRow>| checks.len() as u64,
        || audit::audit(&inputs.counts, &inputs.tables, &outputs, released, &rulebook, &contracts, &allowed),
    )?;
    audit::verdict(&checks)?;

    let manifest = Manifest {
        run_id: run_id.clone(),
        as_of: options.as_of.to_string(),
        bank: bank.name.clone(),
        bank_digest: made_from.bank_digest.clone(),
        sequence,
        rulebook: RulebookEntry::of(&rulebook),
        definitions: made_from.definitions.clone(),
        previous_run: earlier_run.as_ref().map(PreviousEntry::of),
        stages: watch.costs().to_vec(),
        audit: checks,
        ..manifest(&night)
    };
    let rows = output_rows(&outputs);
    let published = watch.stage(
        "publish",
        |_| rows,
        || publish::publish(&runs, &outputs, Some(&export), &contracts, manifest, options.as_of),
    )?;
    point_to_newest(&runs)?;
    Ok(published)
}

/// What leaves the bank, beside what an earlier run of the as-of date let out.
fn export(night: &Night, rulebook: &Rulebook, contracts: &Contracts, vintage: &Vintage, runs: &Path) -> Result<Export> {
    let earlier = published::latest_vintage(runs, vintage.as_of)?;
    let tables = &night.cleaned.tables;
    regulator::export(&night.indicators, tables, rulebook, contracts, vintage, earlier.as_ref())
}

/// What the run is a function of: what differs from an earlier vintage is why its figures do.
fn made_from(bank: &Bank, night: &Night, rulebook: &Rulebook, earlier: Option<&PublishedRun>) -> MadeFrom {
    let definitions = rulebook.indicators.iter();
    MadeFrom {
        program_version: env!("CARGO_PKG_VERSION").into(),
        rulebook_digest: rulebook.digest.clone(),
        definitions: definitions.map(|indicator| (indicator.id.clone(), indicator.definition.digest.clone())).collect(),
        previous_run: earlier.map(|run| run.run_id.clone()),
        bank_digest: night::digest(&bank.text),
        inputs: night.cleaned.files.clone(),
    }
}

/// The tables of which more rows may be set aside tonight than the rulebook allows.
fn allowed(options: &Nightly) -> Allowed {
    Allowed {
        all: options.allow_quarantine.iter().any(|table| table == "all"),
        tables: options.allow_quarantine.iter().cloned().collect(),
    }
}

/// A run that was killed after its folder became visible left the pointer behind; the next one mends it.
fn point_to_newest(runs: &Path) -> Result<()> {
    match published::list(runs)?.last() {
        Some(newest) => publish::point_to_latest(runs, newest),
        None => Ok(()),
    }
}

fn set_threads(options: &Nightly) -> Result<()> {
    let Some(threads) = options.threads else { return Ok(()) };
    let built = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build_global();
    built.map_err(|error| Error::could_not_run(Fault::new("could not start threads").caused_by(error)))
}

#[allow(clippy::ptr_arg)]
fn output_rows(outputs: &Vec<OutputTable>) -> u64 {
    outputs.iter().map(|output| output.batch.num_rows() as u64).sum()
}

fn released_rows(export: &Export) -> u64 {
    export.table.batch.num_rows() as u64
}

/// What the manifest says of the inputs.
fn manifest(night: &Night) -> Manifest {
    let inputs = night.cleaned.files.iter().map(|file| InputEntry {
        file: file.clone(),
        newest_row: night.cleaned.newest.get(&(file.table.clone(), file.path.clone())).map(ToString::to_string),
    });
    Manifest {
        program_version: env!("CARGO_PKG_VERSION").into(),
        inputs: inputs.collect(),
        tables: night.counts.clone(),
        remarks: night.cleaned.remarks.clone(),
        ..Manifest::default()
    }
}
