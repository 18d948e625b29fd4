//! Who is filed, visited, granted and served, and where there is a gap (`rules.md` §6 to §11): grids from the results of
//! their households, branches from their grids, areas from the grids and areas below them. Each branch is computed from
//! its own rows, branches in parallel; everything above is a sum of parts, and shares are taken last.
//! Leaves the tables to `outputs` and reading the previous run to `read`.

pub mod areas;
pub mod branch;
pub mod conduct;
pub mod counts;
pub mod credit;
pub mod funding;
mod groups;
pub mod notice;
pub mod officers;
pub mod partition;
pub mod staffing;
pub mod standing;
pub mod work_list;

use rayon::prelude::*;

use crate::clean::Tables;
use crate::clean::typed::Rows as _;
use crate::contract::Contracts;
use crate::facts::Facts;
use crate::fault::Result;
use crate::grade::{ModelGrade, Ranks};
use crate::limit::Limit;
use crate::limit::credit_list::Place;
use crate::limit::decisions::Decided;
use crate::previous::{Previous, PreviousHousehold};
use crate::register::Register;
use crate::rulebook::Rulebook;
use crate::visits::VisitChecks;
use crate::visits::tallies::VisitTallies;

use areas::{AreaCoverage, CreditRating, Levels};
use branch::{BranchResult, Branches, GridCoverage};
use conduct::Ranked;
use counts::BySegment;
use funding::AreaFunding;
use notice::PublicNotice;
use officers::OfficerAssessment;
use partition::PartitionFault;
use staffing::Staffing;
use standing::Standing;
use work_list::WorkItem;

/// What the household stages found, which coverage adds up.
pub struct Rated<'a> {
    pub tables: &'a Tables,
    pub register: &'a Register,
    pub checks: &'a VisitChecks,
    pub visits: &'a VisitTallies,
    pub facts: &'a Facts,
    pub grades: &'a [ModelGrade],
    pub limits: &'a [Limit],
    pub decided: &'a Decided,
    /// The credit list of every household.
    pub lists: &'a [Place],
    pub previous: &'a Previous,
    /// What the previous run said of every household.
    pub earlier: &'a [Option<&'a PreviousHousehold>],
    pub ranks: Ranks,
    pub rulebook: &'a Rulebook,
    pub contracts: &'a Contracts,
}

impl Rated<'_> {
    /// The final grade is one of the rulebook's credit grades, and nobody declined or suspended the household.
    fn is_credit_household(&self, number: usize) -> bool {
        let Some(outcome) = self.decided.finals.get(number) else { return false };
        let is_refused = outcome.decision.as_ref().is_some_and(|decision| !decision.action.approves());
        let grade = self.ranks.name(outcome.rank);
        !is_refused && self.rulebook.credit_villages.credit_grades.iter().any(|credit| credit == grade)
    }

    fn has_veto(&self, number: usize) -> bool {
        self.grades.get(number).is_some_and(|grade| !grade.vetoes.is_empty())
    }
}

/// Everything that coverage publishes.
#[derive(Debug)]
pub struct Coverage {
    /// Valid grids, in the order of `grids`.
    pub grids: Vec<GridCoverage>,
    /// Branches with a valid grid, in the order of `branches`.
    pub branches: Vec<BranchCoverage>,
    /// Every area, in the order of `areas`.
    pub areas: Vec<AreaCoverage>,
    pub officers: Vec<OfficerAssessment>,
    pub ratings: Vec<CreditRating>,
    /// In the order of the register.
    pub ranking: Vec<Ranked>,
    pub funding: Vec<AreaFunding>,
    pub faults: Vec<PartitionFault>,
    pub work: Vec<WorkItem>,
    /// In the order of the register.
    pub notices: Vec<PublicNotice>,
    /// For each household of the run, which counts it stands in.
    pub standings: Vec<Standing>,
    pub staffing: Staffing,
    /// For each grid whether it is valid on the as-of date.
    pub is_valid_grid: Vec<bool>,
}

/// One branch with valid grids of its own; key branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BranchCoverage {
    /// Position in `branches`.
    pub branch: usize,
    pub grids: i64,
    pub counts: BySegment,
}

/// Covers the whole bank.
pub fn cover(rated: &Rated) -> Result<Coverage> {
    let (tables, as_of) = (rated.tables, rated.register.as_of);
    let is_valid_grid = valid_grids(tables, as_of);
    let staffing = Staffing::of(tables, as_of, &is_valid_grid, rated.contracts)?;
    let standings = standing::standings(rated)?;
    let rows = Branches::of(rated, &staffing, &standings, &is_valid_grid)?;
    let results: Vec<BranchResult> =
        (0..tables.branches.rows).into_par_iter().map(|branch| rows.cover(branch)).collect();
    let branches = results.iter().enumerate().filter(|(_, result)| !result.grids.is_empty());
    let branches = branches.map(|(branch, result)| sum_of_grids(branch, &result.grids)).collect();
    let mut officers = Vec::new();
    let mut work = Vec::new();
    let mut grids = Vec::new();
    for result in results {
        grids.extend(result.grids);
        officers.extend(result.officers);
        work.extend(result.work);
    }
    let levels = {
        let contract = rated.contracts.input("areas")?;
        Levels { county: contract.word_code("level", "county")?, township: contract.word_code("level", "township")? }
    };
    let areas = areas::add_up(tables, grids.iter());
    // Each looks at every household, and at nothing that the others find.
    let (ranking, (faults, notices)) = rayon::join(
        || conduct::rank(rated, &is_valid_grid),
        || {
            rayon::join(
                || partition::faults(rated, &staffing, &is_valid_grid, &grids, &areas, levels),
                || notice::notices(rated),
            )
        },
    );
    Ok(Coverage {
        branches,
        officers,
        work,
        ratings: areas::rate(tables, &areas, levels, &rated.rulebook.credit_villages),
        ranking: ranking?,
        funding: funding::fund(rated, grids.iter())?,
        faults: faults?,
        notices,
        areas,
        grids,
        standings,
        staffing,
        is_valid_grid,
    })
}

/// For each grid whether it is valid on the day.
fn valid_grids(tables: &Tables, as_of: crate::calendar::Date) -> Vec<bool> {
    let grids = &tables.grids;
    let is_valid =
        |grid: usize| grids.valid_from.get(grid).is_some_and(|from| as_of.is_within(from, grids.valid_to.get(grid)));
    (0..grids.rows).map(is_valid).collect()
}

fn sum_of_grids(branch: usize, grids: &[GridCoverage]) -> BranchCoverage {
    let mut counts = BySegment::default();
    grids.iter().for_each(|grid| counts += grid.counts);
    BranchCoverage { branch, grids: grids.len() as i64, counts }
}
