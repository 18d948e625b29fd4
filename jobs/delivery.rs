//! The output tables of a night on their way into its run: made, audited and written piece by piece, so that of the
//! tables that grow with the bank never more than a few pieces are held. A run whose audit fails leaves nothing.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;
use wellfield::audit::{self, Allowed, Audit, AuditRow, Audited, Auditor, Seen, SeenIndicators};
use wellfield::clean::Tables;
use wellfield::contract::Contracts;
use wellfield::fault::{Error, Fault, Result};
use wellfield::in_order;
use wellfield::indicators::{Indicators, Measured};
use wellfield::lineage;
use wellfield::manifest::Manifest;
use wellfield::night::Night;
use wellfield::outputs::{self, OutputTable, Outputs};
use wellfield::previous::Previous;
use wellfield::publish::{Publication, TableWriter};
use wellfield::read::published::EarlierVintage;
use wellfield::regulator::{self, Export, Vintage};
use wellfield::report::{NightReport, Outcome};
use wellfield::rulebook::Rulebook;
use wellfield::watch::{Moment, Pieces, Timed, Watch, timed};

/// Households whose rows are one piece: some megabytes in all their tables.
const HOUSEHOLDS_A_PIECE: usize = 1 << 14;
/// Pieces that are made and not yet written, however many threads there are.
const PIECES_AT_ONCE: usize = 6;

/// A night that is rated, and what goes into its run.
pub struct Rated<'a> {
    pub night: &'a Night,
    /// The night's indicators, of which it is not decided yet what may leave the bank.
    pub measured: Measured,
    pub previous: &'a Previous,
    pub rulebook: &'a Rulebook,
    pub contracts: &'a Contracts,
    pub vintage: Vintage<'a>,
    /// The vintage of the same as-of date that was published last.
    pub earlier: Option<&'a EarlierVintage>,
}

/// What the stages have cost so far that take turns.
struct Turns {
    outputs: Pieces,
    audit: Pieces,
    publish: Pieces,
}

impl Rated<'_> {
    /// Makes the output tables, audits them and publishes the run of a manifest, of which all is known but what is found
    /// here; returns its folder.
    pub fn deliver(
        self,
        runs: &Path,
        manifest: Manifest,
        allowed: &Allowed,
        watch: &mut Watch,
        report: &mut NightReport,
    ) -> Result<(PathBuf, Manifest)> {
        let [outputs, audit, publish] = ["outputs", "audit", "publish"].map(Pieces::of);
        let mut turns = Turns { outputs, audit, publish };
        let Rated { night, measured, previous, rulebook, contracts, vintage, earlier } = self;
        let make = || Outputs::of(night.results(previous, rulebook, contracts));
        let outputs = watch.piece(&mut turns.outputs, |_| 0, make)?;
        let small = watch.piece(&mut turns.outputs, |small: &Vec<OutputTable>| rows(small), || outputs.small())?;
        let audited = Audited { cleaned: &night.cleaned, outputs: &small, previous, rulebook, contracts };
        let auditor = watch.piece(&mut turns.audit, |_| 0, || Auditor::of(&audited))?;
        let mut audit = auditor.begin();
        let begin = || Publication::begin(runs, contracts, &manifest);
        let mut publication = watch.piece(&mut turns.publish, |_| 0, begin)?;
        let (auditor, into) = (&auditor, &mut publication);
        let so_far = Mutex::new(SoFar { audit: &mut audit, publication: into, turns: &mut turns });
        let delivery = Delivery { outputs: &outputs, auditor, contracts, so_far };
        // Nobody needs what becomes of the indicators before the end.
        let indicators = || {
            let of_indicators = OfIndicators { tables: &night.cleaned.tables, rulebook, contracts, vintage, earlier };
            of_indicators.make(measured, &outputs, auditor)
        };
        let (indicators, delivered) = beside(indicators, || delivery.large());
        delivered?;
        let MadeOfIndicators { disclosure, regulator, table, seen, export } = indicators?;
        let table = turns.outputs.share(|table| table.batch.num_rows() as u64, table);
        let seen = turns.audit.share(|_| 0, seen);
        for stage in [disclosure, regulator, turns.outputs] {
            watch.end(stage)?;
        }
        let checks = |checks: &Vec<AuditRow>| checks.len() as u64;
        report.audit = watch.piece(&mut turns.audit, checks, || audit.end(seen, allowed))?;
        watch.end(turns.audit)?;
        audit::verdict(&report.audit)?;

        report.stages = watch.costs().to_vec();
        let (stages, audit, remarks) = (report.stages.clone(), report.audit.clone(), remarks(night, &report.audit));
        let manifest = Manifest { stages, audit, remarks, ..manifest };
        let so_far: &NightReport = report;
        let lineage = |manifest: &Manifest| {
            lineage::events(&so_far.with_run(manifest, Outcome::Published, Moment::now()), contracts)
        };
        let whole = [small, vec![table]].concat();
        let finish = || publication.finish(&whole, Some(&export), manifest, &lineage);
        let published = watch.piece(&mut turns.publish, |_| rows(&whole), finish)?;
        watch.end(turns.publish)?;
        Ok(published)
    }
}

/// What the table of indicators and the files for the regulator are made with.
struct OfIndicators<'a> {
    tables: &'a Tables,
    rulebook: &'a Rulebook,
    contracts: &'a Contracts,
    vintage: Vintage<'a>,
    earlier: Option<&'a EarlierVintage>,
}

/// What became of the indicators, and what that cost.
struct MadeOfIndicators {
    disclosure: Pieces,
    regulator: Pieces,
    table: Timed<OutputTable>,
    seen: Timed<SeenIndicators>,
    export: Export,
}

impl OfIndicators<'_> {
    /// Decides what may leave the bank, makes the table, looks at both, and makes the files for the regulator.
    fn make(self, measured: Measured, outputs: &Outputs, auditor: &Auditor) -> Result<MadeOfIndicators> {
        let OfIndicators { tables, rulebook, contracts, vintage, earlier } = self;
        let [mut disclosure, mut regulator] = ["disclosure", "regulator"].map(Pieces::of);
        let withheld = timed(|| Ok(measured.withhold(rulebook, &tables.areas)))?;
        let indicators = disclosure.beside(|indicators: &Indicators| indicators.rows.len() as u64, withheld);
        let table = timed(|| outputs.indicators(&indicators))?;
        let release = timed(|| regulator::release(&indicators, tables, rulebook, contracts, &vintage, earlier))?;
        let release = regulator.beside(|release| release.rows().num_rows() as u64, release);
        drop(indicators);
        let seen = timed(|| auditor.indicators(table.get(), release.rows()))?;
        let export = regulator.beside(|_| 0, timed(|| release.export())?);
        Ok(MadeOfIndicators { disclosure, regulator, table, seen, export })
    }
}

/// Runs one thing instead of a thread of the pool while another is done here; what both made.
fn beside<A: Send, B>(other: impl FnOnce() -> Result<A> + Send, here: impl FnOnce() -> B) -> (Result<A>, B) {
    let mut made = Err(Error::internal("a thread has ended without a result"));
    let done = rayon::in_place_scope(|scope| {
        let made = &mut made;
        scope.spawn(move |_| *made = undisturbed(other));
        here()
    });
    (made, done)
}

/// Runs something of many steps in a pool of one thread, for which the calling thread stands still. Where a thread of the
/// common pool waits for a part of its work it takes up something else meanwhile, and comes back late.
fn undisturbed<T: Send>(run: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.map_err(|error| Error::could_not_run(Fault::new("could not start a thread").caused_by(error)))?;
    let outcome = std::thread::scope(|scope| scope.spawn(|| pool.install(run)).join());
    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// What a reader of the manifest should know: what cleaning noted, and what was allowed.
fn remarks(night: &Night, audit: &[AuditRow]) -> Vec<String> {
    let allowed = audit.iter().filter(|row| row.allowed);
    let allowed = allowed.map(|row| format!("`{}` of table `{}` was allowed: {}", row.check, row.table, row.detail));
    night.cleaned.remarks.iter().cloned().chain(allowed).collect()
}

/// The large tables, each row of which is made, then looked at, then written.
struct Delivery<'a, 'o, 'u, 's, 'p> {
    outputs: &'a Outputs<'o>,
    auditor: &'s Auditor<'u>,
    contracts: &'a Contracts,
    so_far: Mutex<SoFar<'a, 'u, 's, 'p>>,
}

/// What the pieces have come to so far, whichever tables they are of.
struct SoFar<'a, 'u, 's, 'p> {
    audit: &'a mut Audit<'u, 's>,
    publication: &'a mut Publication<'p>,
    turns: &'a mut Turns,
}

/// A piece that is made, and what the audit saw in it.
type Looked = (Timed<Vec<OutputTable>>, Timed<Seen>);

impl<'a, 'u, 's, 'p> Delivery<'a, '_, 'u, 's, 'p> {
    /// The tables of households and that of visits side by side: while a thread has no piece of the ones, it has one of
    /// the other.
    fn large(&self) -> Result<()> {
        let (outputs, of_households) = (self.outputs, ranges(self.outputs.households(), HOUSEHOLDS_A_PIECE));
        let households = |piece: usize| {
            let numbers = of_households.get(piece).ok_or_else(|| Error::internal("there are fewer pieces"))?;
            outputs.of_households(numbers)
        };
        let visits = |part: usize| Ok(vec![outputs.visit_part(part)?]);
        let (of_households, of_visits) = rayon::join(
            // A piece holds the rows of the same households in all their tables.
            || self.pieces(outputs::of_households().collect(), of_households.len(), households),
            || self.pieces(vec![outputs::VISIT_CHECKS], outputs.visit_parts(), visits),
        );
        of_households.and(of_visits)
    }

    /// Makes pieces of some tables side by side and looks at them; they are written in their order.
    fn pieces(
        &self,
        tables: Vec<&str>,
        count: usize,
        make: impl Fn(usize) -> Result<Vec<OutputTable>> + Sync,
    ) -> Result<()> {
        let writers = tables.into_iter().map(|table| self.writer(table));
        let mut writers = writers.collect::<Result<Vec<_>>>()?;
        let auditor = self.auditor;
        let look = |piece: usize| -> Result<Looked> {
            let made = timed(|| make(piece))?;
            let seen = timed(|| auditor.look(made.get()))?;
            Ok((made, seen))
        };
        in_order::make_and_take(count, PIECES_AT_ONCE, look, |_, looked: Result<Looked>| {
            let (made, seen) = looked?;
            let written = timed(|| write(&mut writers, made.get()))?;
            let SoFar { audit, turns, .. } = &mut *self.so_far();
            audit.take(turns.audit.share(|_| 0, seen))?;
            let piece = turns.outputs.share(|piece| rows(piece), made);
            turns.publish.share(|()| rows(&piece), written);
            Ok(())
        })?;
        let ended = timed(|| writers.into_iter().map(TableWriter::end).collect::<Result<Vec<_>>>())?;
        let SoFar { publication, turns, .. } = &mut *self.so_far();
        publication.note(turns.publish.share(|_| 0, ended));
        Ok(())
    }

    fn so_far(&self) -> MutexGuard<'_, SoFar<'a, 'u, 's, 'p>> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self, table: &str) -> Result<TableWriter> {
        self.so_far().publication.table(table, &outputs::schema(self.contracts.output(table)?))
    }
}

/// So many at a time; one range without any where there are none, so that a table without rows is looked at and written
/// too.
fn ranges(count: usize, most: usize) -> Vec<Range<usize>> {
    (0..count.max(1)).step_by(most).map(|first| first..count.min(first + most)).collect()
}

/// Writes a piece, its tables side by side.
fn write(writers: &mut [TableWriter], piece: &[OutputTable]) -> Result<()> {
    writers.par_iter_mut().zip(piece).with_max_len(1).try_for_each(|(writer, output)| writer.write(&output.batch))
}

fn rows(tables: &[OutputTable]) -> u64 {
    tables.iter().map(|output| output.batch.num_rows() as u64).sum()
}
