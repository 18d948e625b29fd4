//! `wellfield nightly`: the main job. Reads a bank, rates its households, audits the result and publishes it.

use std::cell::RefCell;

use wellfield::audit::{self, Allowed};
use wellfield::fault::{Error, Fault, Result};
use wellfield::night::{self, Night};
use wellfield::outputs::OutputTable;
use wellfield::previous::Previous;
use wellfield::publish;
use wellfield::publish::manifest::{InputEntry, Manifest, PreviousEntry, RulebookEntry};
use wellfield::read::published::{self, PublishedRun};
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

fn rate_and_publish(options: &Nightly, log: &Log) -> Result<std::path::PathBuf> {
    set_threads(options)?;
    let costliest: RefCell<Option<StageCost>> = RefCell::default();
    let mut tell = |cost: &StageCost| {
        log.stage(cost);
        costliest.replace(Some(cost.clone()));
    };
    let within_memory = || within_memory(options.memory_max, costliest.borrow().as_ref());
    let mut watch = Watch::new(&mut tell);
    let allowed = Allowed {
        all: options.allow_quarantine.iter().any(|table| table == "all"),
        tables: options.allow_quarantine.iter().cloned().collect(),
    };

    let Prepared { contracts, bank, rulebook, cleaned } =
        prepare::prepare(&options.bank, options.as_of, options.rulebook.as_deref(), &mut watch)?;
    cleaned.remarks.iter().for_each(|remark| log.remark(remark));
    within_memory()?;

    let runs = prepare::runs_folder(&options.bank, options.out.as_deref());
    let _lock = publish::lock(&runs)?;
    let earlier_run = prepare::previous_run(&runs, options.previous.as_deref(), options.as_of)?;
    let previous = prepare::previous(earlier_run.as_ref())?;
    let run_id = night::run_id(&bank.text, &cleaned.files, &rulebook, options.as_of, &previous);
    log.name_run(&run_id);
    let folder = publish::run_folder(&runs, options.as_of, &run_id);
    if folder.exists() {
        log.remark("already published: the same inputs and rules gave this run before");
        return Ok(folder);
    }

    let night = night::rate(cleaned, &previous, &rulebook, &contracts, &mut watch)?;
    within_memory()?;
    if night.register.is_empty() {
        log.remark("no household is in the run");
    }
    let outputs = watch.stage("outputs", output_rows, || night.outputs(&previous, &rulebook, &contracts))?;
    let checks = watch.stage(
        "audit",
        |checks: &Vec<audit::AuditRow>| checks.len() as u64,
        || audit::audit(&night.cleaned.counts, &outputs, &rulebook, &contracts, &allowed),
    )?;
    audit::verdict(&checks)?;
    within_memory()?;

    let published_before = published::list(&runs)?;
    let mut manifest = manifest(&night, &previous, earlier_run.as_ref(), checks);
    manifest.run_id = run_id;
    manifest.as_of = options.as_of.to_string();
    manifest.bank = bank.name;
    manifest.rulebook = RulebookEntry::of(&rulebook);
    manifest.sequence = publish::next_sequence(&published_before, options.as_of);
    manifest.stages = watch.costs().to_vec();
    let rows = output_rows(&outputs);
    let published =
        watch.stage("publish", |_| rows, || publish::publish(&runs, &outputs, &contracts, manifest, options.as_of))?;
    let newest = published::list(&runs)?.into_iter().next_back();
    if let Some(newest) = newest {
        publish::point_to_latest(&runs, &newest)?;
    }
    Ok(published)
}

fn set_threads(options: &Nightly) -> Result<()> {
    let Some(threads) = options.threads else { return Ok(()) };
    let built = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build_global();
    built.map_err(|error| Error::could_not_run(Fault::new("could not start threads").caused_by(error)))
}

/// A run that needs more memory than it was given stops before it drives out its neighbours.
fn within_memory(most: Option<u64>, cost: Option<&StageCost>) -> Result<()> {
    let (Some(most), Some(cost)) = (most, cost) else { return Ok(()) };
    let Some(peak) = cost.peak_memory_bytes.filter(|&peak| peak > most) else { return Ok(()) };
    let fault = Fault::new(format!(
        "the run needed {} MiB by the end of stage `{}`, more than the {} MiB of `--memory-max`",
        peak >> 20,
        cost.stage,
        most >> 20
    ));
    Err(Error::could_not_run(fault.hint("give it more, or a machine with more")))
}

#[allow(clippy::ptr_arg)]
fn output_rows(outputs: &Vec<OutputTable>) -> u64 {
    outputs.iter().map(|output| output.batch.num_rows() as u64).sum()
}

/// What the manifest says of inputs and checks; the rest is filled in by the caller.
fn manifest(
    night: &Night,
    previous: &Previous,
    earlier_run: Option<&PublishedRun>,
    audit: Vec<audit::AuditRow>,
) -> Manifest {
    let inputs = night.cleaned.files.iter().map(|file| InputEntry {
        file: file.clone(),
        newest_row: night.cleaned.newest.get(&(file.table.clone(), file.path.clone())).map(ToString::to_string),
    });
    Manifest {
        program_version: env!("CARGO_PKG_VERSION").into(),
        previous_run: earlier_run.filter(|_| previous.run_id.is_some()).map(PreviousEntry::of),
        inputs: inputs.collect(),
        tables: night.counts.clone(),
        audit,
        remarks: night.cleaned.remarks.clone(),
        ..Manifest::default()
    }
}
