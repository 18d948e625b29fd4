//! No gap, no overlap (`rules.md` §6): every place where the well-field rule is broken on the as-of date, with the
//! figures and names that a manager needs to mend it. Looks at the whole bank, because an officer or a village may
//! belong to more than one branch.

use crate::calendar::Date;
use crate::clean::Tables;
use crate::clean::typed::Rows as _;
use crate::fault::Result;
use crate::rulebook::{GridSize, PartitionRules};

use super::Rated;
use super::areas::{AreaCoverage, Levels};
use super::branch::GridCoverage;
use super::counts::Count;
use super::staffing::{Duty, Staffing};

/// Names that a detail lists; of more it tells how many.
const NAMES_MAX: usize = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    GridWithoutPrimary,
    GridWithManyPrimaries,
    OfficerWithManyGrids,
    OfficerOfOtherBranch,
    GridWithoutBackup,
    AreaWithoutGrid,
    RuralOverlap,
    GridTooSmall,
    GridTooLarge,
    GridNotValid,
    HouseholdsShort,
    HouseholdsOver,
    BranchClosed,
}

impl FaultKind {
    pub const ALL: [FaultKind; 13] = [
        FaultKind::GridWithoutPrimary,
        FaultKind::GridWithManyPrimaries,
        FaultKind::OfficerWithManyGrids,
        FaultKind::OfficerOfOtherBranch,
        FaultKind::GridWithoutBackup,
        FaultKind::AreaWithoutGrid,
        FaultKind::RuralOverlap,
        FaultKind::GridTooSmall,
        FaultKind::GridTooLarge,
        FaultKind::GridNotValid,
        FaultKind::HouseholdsShort,
        FaultKind::HouseholdsOver,
        FaultKind::BranchClosed,
    ];

    pub fn name(self) -> &'static str {
        match self {
            FaultKind::GridWithoutPrimary => "grid_without_primary",
            FaultKind::GridWithManyPrimaries => "grid_with_many_primaries",
            FaultKind::OfficerWithManyGrids => "officer_with_many_grids",
            FaultKind::OfficerOfOtherBranch => "officer_of_other_branch",
            FaultKind::GridWithoutBackup => "grid_without_backup",
            FaultKind::AreaWithoutGrid => "area_without_grid",
            FaultKind::RuralOverlap => "rural_overlap",
            FaultKind::GridTooSmall => "grid_too_small",
            FaultKind::GridTooLarge => "grid_too_large",
            FaultKind::GridNotValid => "grid_not_valid",
            FaultKind::HouseholdsShort => "households_short",
            FaultKind::HouseholdsOver => "households_over",
            FaultKind::BranchClosed => "branch_closed",
        }
    }

    pub fn subject_kind(self) -> &'static str {
        match self {
            FaultKind::GridWithoutPrimary
            | FaultKind::GridWithManyPrimaries
            | FaultKind::GridWithoutBackup
            | FaultKind::GridTooSmall
            | FaultKind::GridTooLarge
            | FaultKind::BranchClosed => "grid",
            FaultKind::OfficerWithManyGrids | FaultKind::OfficerOfOtherBranch => "officer",
            FaultKind::AreaWithoutGrid
            | FaultKind::RuralOverlap
            | FaultKind::HouseholdsShort
            | FaultKind::HouseholdsOver => "area",
            FaultKind::GridNotValid => "household",
        }
    }
}

/// One fault of one subject; key (kind, subject_id).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionFault {
    pub kind: FaultKind,
    pub subject_id: String,
    pub detail: String,
}

/// Every fault, by name and subject.
pub fn faults(
    rated: &Rated,
    staffing: &Staffing,
    is_valid_grid: &[bool],
    grids: &[GridCoverage],
    areas: &[AreaCoverage],
    levels: Levels,
) -> Result<Vec<PartitionFault>> {
    let kinds = &rated.contracts.input("grids")?.column("kind")?.words;
    let mut inspector = Inspector {
        tables: rated.tables,
        as_of: rated.register.as_of,
        rules: &rated.rulebook.partition,
        staffing,
        other_grids: other_grids(rated, is_valid_grid),
        faults: Vec::new(),
    };
    for grid in grids {
        inspector.inspect_staff(grid);
        let kind = rated.tables.grids.kind.get(grid.grid).and_then(|kind| kinds.get(usize::from(kind)));
        inspector.inspect_size(grid, kind.map_or("", String::as_str));
        inspector.inspect_branch(grid);
    }
    for officer in 0..rated.tables.officers.rows {
        inspector.inspect_officer(officer);
    }
    let by_area = grids_by_area(rated.tables, grids);
    for ((area, sums), grids) in areas.iter().enumerate().zip(&by_area) {
        if rated.tables.areas.level.get(area).is_some_and(|level| levels.has_grids(level)) {
            inspector.inspect_area(area, sums, grids);
        }
    }
    for number in 0..rated.register.len() {
        let grid = rated.register.grid(number);
        if is_valid_grid.get(grid) != Some(&true) {
            let household = rated.tables.households.household_id.text(rated.register.row(number));
            inspector.report_household(household, grid);
        }
    }
    let mut faults = inspector.faults;
    faults
        .sort_unstable_by(|one, other| (one.kind.name(), &one.subject_id).cmp(&(other.kind.name(), &other.subject_id)));
    Ok(faults)
}

/// Valid grids by area, by their position.
fn grids_by_area(tables: &Tables, grids: &[GridCoverage]) -> Vec<Vec<usize>> {
    let mut by_area = vec![Vec::new(); tables.areas.rows];
    for grid in grids {
        if let Some(of_area) = tables.grids.area_id.get(grid.grid).and_then(|area| by_area.get_mut(area)) {
            of_area.push(grid.grid);
        }
    }
    by_area
}

/// What an area has besides its valid grids: the grid that ended last, the one that begins next, and the households that
/// stand in grids that are not valid.
#[derive(Clone, Copy, Debug, Default)]
struct OtherGrids<'a> {
    last: Option<(Date, &'a str)>,
    next: Option<(Date, &'a str)>,
    households: i64,
}

impl OtherGrids<'_> {
    fn in_words(&self) -> String {
        let last = self.last.map_or(String::new(), |(to, grid)| format!(", {grid} ended on {to}"));
        let next = self.next.map_or(String::new(), |(from, grid)| format!(", {grid} begins on {from}"));
        format!("{last}{next}")
    }
}

/// By area.
fn other_grids<'a>(rated: &Rated<'a>, is_valid_grid: &[bool]) -> Vec<OtherGrids<'a>> {
    let (grids, as_of) = (&rated.tables.grids, rated.register.as_of);
    let mut by_area = vec![OtherGrids::default(); rated.tables.areas.rows];
    for grid in 0..grids.rows {
        let Some(of_area) = grids.area_id.get(grid).and_then(|area| by_area.get_mut(area)) else { continue };
        let id = grids.grid_id.text(grid);
        if let Some(ended) = grids.valid_to.get(grid).filter(|&to| to <= as_of) {
            of_area.last = of_area.last.max(Some((ended, id)));
        }
        if let Some(begins) = grids.valid_from.get(grid).filter(|&from| from > as_of) {
            of_area.next = Some(of_area.next.map_or((begins, id), |next| next.min((begins, id))));
        }
    }
    for number in 0..rated.register.len() {
        if is_valid_grid.get(rated.register.grid(number)) != Some(&true)
            && let Some(of_area) = by_area.get_mut(rated.register.area(number))
        {
            of_area.households += 1;
        }
    }
    by_area
}

struct Inspector<'a> {
    tables: &'a Tables,
    as_of: Date,
    rules: &'a PartitionRules,
    staffing: &'a Staffing,
    other_grids: Vec<OtherGrids<'a>>,
    faults: Vec<PartitionFault>,
}

impl<'a> Inspector<'a> {
    fn report(&mut self, kind: FaultKind, subject: &str, detail: String) {
        self.faults.push(PartitionFault { kind, subject_id: subject.to_string(), detail });
    }

    fn grid_id(&self, grid: usize) -> &'a str {
        self.tables.grids.grid_id.text(grid)
    }

    fn branch_of(&self, grid: usize) -> &'a str {
        self.tables.grids.branch_id.get(grid).map_or("", |branch| self.tables.branches.branch_id.text(branch))
    }

    fn officers(&self, officers: impl Iterator<Item = usize>) -> String {
        names(officers.map(|officer| self.tables.officers.officer_id.text(officer)))
    }

    /// The grid as a manager calls it.
    fn grid(&self, grid: usize) -> String {
        format!("grid {} of branch {}", self.grid_id(grid), self.branch_of(grid))
    }

    /// Who has a duty, or that nobody has.
    fn staff(&self, officers: &[usize], duty: &str, nobody: &str) -> String {
        match officers {
            [] => nobody.to_string(),
            officers => format!("{duty} {}", self.officers(officers.iter().copied())),
        }
    }

    /// Exactly one primary, and a backup.
    fn inspect_staff(&mut self, grid: &GridCoverage) {
        let (id, grid_name) = (self.grid_id(grid.grid), self.grid(grid.grid));
        let primaries = self.staffing.serving(grid.grid, Duty::Primary);
        let backups = self.staffing.serving(grid.grid, Duty::Backup);
        let households = households(grid.counts.all().get(Count::Households));
        let primary = self.staff(&primaries, "primary officer", "no primary officer either");
        let backup = self.staff(&backups, "backup", "no backup either");
        if primaries.is_empty() {
            let history = self.vacancy(grid.grid, Duty::Primary);
            let detail = format!("{grid_name}: no primary officer{history}; {backup}; {households}");
            self.report(FaultKind::GridWithoutPrimary, id, detail);
        }
        if primaries.len() > 1 {
            let since = self.many_primaries_since(grid.grid, &primaries);
            let officers = self.officers(primaries.iter().copied());
            let detail = format!("{grid_name}: primary officers {officers} since {since}");
            self.report(FaultKind::GridWithManyPrimaries, id, detail);
        }
        if backups.is_empty() {
            let history = self.vacancy(grid.grid, Duty::Backup);
            let detail = format!("{grid_name}: no backup officer{history}; {primary}; {households}");
            self.report(FaultKind::GridWithoutBackup, id, detail);
        }
    }

    /// Since when nobody has had a duty, who had it last, and who begins next.
    fn vacancy(&self, grid: usize, duty: Duty) -> String {
        let terms = || self.staffing.terms(grid, duty).iter();
        let since = match terms().filter_map(|term| term.to.filter(|&to| to <= self.as_of)).max() {
            None => ", and never one before".to_string(),
            Some(since) => {
                let mut last: Vec<usize> =
                    terms().filter(|term| term.to == Some(since)).map(|term| term.officer).collect();
                last.sort_unstable();
                last.dedup();
                format!(" since {since} (until then {})", self.officers(last.into_iter()))
            }
        };
        let future = terms().filter(|term| term.from > self.as_of);
        let next = future.map(|term| (term.from, self.tables.officers.officer_id.text(term.officer))).min();
        let next = next.map_or(String::new(), |(from, officer)| format!("; {officer} begins on {from}"));
        format!("{since}{next}")
    }

    /// The day from which there has been more than one: the second of the days on which today's primaries began.
    fn many_primaries_since(&self, grid: usize, primaries: &[usize]) -> Date {
        let mut began: Vec<Date> = primaries.iter().filter_map(|&officer| self.began(grid, officer)).collect();
        began.sort_unstable();
        began.get(1).copied().unwrap_or(self.as_of)
    }

    fn began(&self, grid: usize, officer: usize) -> Option<Date> {
        let terms = self.staffing.terms(grid, Duty::Primary).iter();
        terms.filter(|term| term.officer == officer && term.holds_on(self.as_of)).map(|term| term.from).min()
    }

    /// One grid for one officer, of the officer's own branch.
    fn inspect_officer(&mut self, officer: usize) {
        let id = self.tables.officers.officer_id.text(officer);
        let own = self.tables.officers.branch_id.get(officer);
        let branch = own.map_or("", |branch| self.tables.branches.branch_id.text(branch));
        let grids: Vec<usize> = self.staffing.primary_grids(officer).iter().map(|&grid| grid as usize).collect();
        if grids.len() > 1 {
            let named = grids.iter().filter_map(|&grid| Some((grid, self.began(grid, officer)?)));
            let named: Vec<String> =
                named.map(|(grid, since)| format!("{} (since {since})", self.grid_id(grid))).collect();
            let detail = format!(
                "officer {id} of branch {branch}: primary of {} grids, {}",
                grids.len(),
                names(named.iter().map(String::as_str))
            );
            self.report(FaultKind::OfficerWithManyGrids, id, detail);
        }
        let foreign = grids.iter().filter(|&&grid| self.tables.grids.branch_id.get(grid) != own);
        let foreign: Vec<String> =
            foreign.map(|&grid| format!("{} of branch {}", self.grid_id(grid), self.branch_of(grid))).collect();
        if !foreign.is_empty() {
            let named = names(foreign.iter().map(String::as_str));
            self.report(
                FaultKind::OfficerOfOtherBranch,
                id,
                format!("officer {id} of branch {branch}: primary of grid {named}"),
            );
        }
    }

    fn inspect_size(&mut self, grid: &GridCoverage, kind: &str) {
        let Some(size) = self.rules.sizes.iter().find(|size| size.grid_kind == kind) else { return };
        let GridSize { at_least, at_most, .. } = *size;
        let count = grid.counts.all().get(Count::Households);
        let (id, grid_name, found) = (self.grid_id(grid.grid), self.grid(grid.grid), households(count));
        if count < i64::from(at_least) {
            let detail = format!("{grid_name}: {found}, at least {at_least} in a grid of kind {kind}");
            self.report(FaultKind::GridTooSmall, id, detail);
        }
        if count > i64::from(at_most) {
            let detail = format!("{grid_name}: {found}, at most {at_most} in a grid of kind {kind}");
            self.report(FaultKind::GridTooLarge, id, detail);
        }
    }

    fn inspect_branch(&mut self, grid: &GridCoverage) {
        let Some(branch) = self.tables.grids.branch_id.get(grid.grid) else { return };
        let branches = &self.tables.branches;
        let (id, name) = (self.grid_id(grid.grid), branches.branch_id.text(branch));
        let closed_on = branches.closed_on.get(branch).filter(|&day| day <= self.as_of);
        let opens_on = branches.opened_on.get(branch).filter(|&day| day > self.as_of);
        let state = match (closed_on, opens_on) {
            (Some(day), _) => format!("closed on {day}"),
            (None, Some(day)) => format!("opens only on {day}"),
            (None, None) => return,
        };
        let primaries = self.staffing.serving(grid.grid, Duty::Primary);
        let officers = self.staff(&primaries, "primary officer", "no primary officer");
        let found = households(grid.counts.all().get(Count::Households));
        self.report(FaultKind::BranchClosed, id, format!("grid {id}: branch {name} {state}; {found}, {officers}"));
    }

    /// A village or community: a grid at least, of one branch where it is rural, with the households of the register.
    fn inspect_area(&mut self, area: usize, sums: &AreaCoverage, grids: &[usize]) {
        let areas = &self.tables.areas;
        let id = areas.area_id.text(area);
        let registered = areas.household_count.get(area).unwrap_or(0);
        let name = format!("area {id} {}", areas.name.text(area));
        if grids.is_empty() {
            let other = self.other_grids.get(area).map_or(String::new(), OtherGrids::in_words);
            let detail = format!("{name}: no valid grid{other}; {} in the civil register", households(registered));
            self.report(FaultKind::AreaWithoutGrid, id, detail);
            return;
        }
        if areas.is_rural.get(area) == Some(true) {
            self.inspect_overlap(id, &name, grids);
        }
        let found = sums.counts.all().get(Count::Households);
        let tolerance = self.rules.count_tolerance;
        let difference = i128::from((found - registered).abs());
        if difference * tolerance.denominator() <= tolerance.mantissa() * i128::from(registered) {
            return;
        }
        let (kind, word) = if found < registered {
            (FaultKind::HouseholdsShort, "short")
        } else {
            (FaultKind::HouseholdsOver, "over")
        };
        let grids = names(grids.iter().map(|&grid| self.grid_id(grid)));
        let elsewhere = match self.other_grids.get(area).map_or(0, |other| other.households) {
            0 => String::new(),
            count => format!("; {} more in grids that are not valid", households(count)),
        };
        let detail = format!(
            "{name}: {} in valid grids ({grids}), {registered} in the civil register: {difference} {word}, tolerance {}{elsewhere}",
            households(found),
            tolerance.times_down(i128::from(registered)),
        );
        self.report(kind, id, detail);
    }

    fn inspect_overlap(&mut self, id: &str, name: &str, grids: &[usize]) {
        let mut branches: Vec<&str> = grids.iter().map(|&grid| self.branch_of(grid)).collect();
        branches.sort_unstable();
        branches.dedup();
        if branches.len() < 2 {
            return;
        }
        let of_branch = |branch: &&str| {
            let own = grids.iter().filter(|&&grid| self.branch_of(grid) == *branch).map(|&grid| self.grid_id(grid));
            format!("{branch} ({})", names(own))
        };
        let parts: Vec<String> = branches.iter().map(of_branch).collect();
        let detail = format!("{name}: valid grids of {} branches, {}", branches.len(), parts.join(", "));
        self.report(FaultKind::RuralOverlap, id, detail);
    }

    fn report_household(&mut self, household: &str, grid: usize) {
        let grids = &self.tables.grids;
        let id = self.grid_id(grid);
        let state = match (grids.valid_from.get(grid), grids.valid_to.get(grid)) {
            (Some(from), _) if from > self.as_of => format!("is valid only from {from}"),
            (_, Some(to)) => format!("ended on {to}"),
            _ => "is not valid".to_string(),
        };
        let detail = format!("household {household}: its grid {id} of branch {} {state}", self.branch_of(grid));
        self.report(FaultKind::GridNotValid, household, detail);
    }
}

fn households(count: i64) -> String {
    if count == 1 { "1 household".to_string() } else { format!("{count} households") }
}

/// Names in their byte order, whatever the order of the files; of very many the first, and how many more there are.
fn names<'n>(all: impl Iterator<Item = &'n str>) -> String {
    let mut all: Vec<&str> = all.collect();
    all.sort_unstable();
    let shown: Vec<&str> = all.iter().copied().take(NAMES_MAX).collect();
    match all.len().saturating_sub(NAMES_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
