//! The first catalogue, one rule per indicator in the words of its text. Levels, breakdowns, units and targets are
//! copied by hand, so that a slip in a record of the program shows as a difference.

use std::collections::{BTreeMap, BTreeSet};

use super::super::calendar::MICROSECONDS_PER_HOUR;
use super::super::exact::Ratio;
use super::super::reading::{Area, ServicePoint};
use super::super::register::is_village_or_community;
use super::super::visits::CheckedVisit;
use super::super::{Outcome, coverage, issues};
use super::figures::{Figure, Part, Value};
use super::loans::{Debt, Standing};
use super::members::{Home, Members};
use super::spread::{Dimension, gini, nearest_rank, sarma_distances, theil, theil_between};

pub struct Indicator {
    pub id: &'static str,
    pub unit: &'static str,
    pub levels: &'static [&'static str],
    pub has_segments: bool,
    pub target: Target,
    pub measure: fn(&Members) -> Figure,
}

pub enum Target {
    None,
    AtLeast(f64),
    /// From the first year; the last one goes on.
    ByProgrammeYear(&'static [f64]),
}

const EVERYWHERE: &[&str] = &["bank", "branch", "county", "township", "village", "community"];
const BANK_AND_AREAS: &[&str] = &["bank", "county", "township", "village", "community"];

pub fn catalogue() -> impl Iterator<Item = &'static Indicator> {
    COVERAGE.iter().chain(&HOUSEHOLDS).chain(&LOANS).chain(&AREAS).chain(&CONDUCT).chain(&DISTRIBUTION)
}

const fn share(id: &'static str, measure: fn(&Members) -> Figure) -> Indicator {
    of_unit("share", id, measure)
}

const fn of_unit(unit: &'static str, id: &'static str, measure: fn(&Members) -> Figure) -> Indicator {
    Indicator { id, unit, levels: EVERYWHERE, has_segments: false, target: Target::None, measure }
}

const fn by_segment(id: &'static str, measure: fn(&Members) -> Figure) -> Indicator {
    Indicator { has_segments: true, ..share(id, measure) }
}

const fn of_areas(unit: &'static str, id: &'static str, measure: fn(&Members) -> Figure) -> Indicator {
    Indicator { levels: BANK_AND_AREAS, ..of_unit(unit, id, measure) }
}

const fn aimed_at(target: f64, indicator: Indicator) -> Indicator {
    Indicator { target: Target::AtLeast(target), ..indicator }
}

static COVERAGE: [Indicator; 7] = [
    by_segment("profile_share", |m| Figure::share(count(m, "profiled"), count(m, "households"))),
    by_segment("fresh_share", |m| Figure::share(count(m, "profiled_fresh"), count(m, "households"))),
    by_segment("grading_share", |m| Figure::share(count(m, "graded"), count(m, "profiled"))),
    by_segment("granting_share", granting_share),
    by_segment("drawing_share", |m| Figure::share(count(m, "drawn"), count(m, "granted"))),
    by_segment("visiting_share", |m| Figure::share(count(m, "visited_12m"), count(m, "households"))),
    by_segment("care_visiting_share", |m| Figure::share(count(m, "care_visited_3m"), count(m, "care_households"))),
];

static HOUSEHOLDS: [Indicator; 10] = [
    share("account_share", account_share),
    share("active_share", |m| Figure::share(count(m, "active_account"), count(m, "with_account"))),
    of_unit("per_1000_households", "borrowers_per_1000_households", |m| {
        let share = Figure::ratio(count(m, "borrowing"), count(m, "households"), 1_000.0);
        Figure { is_subset: true, ..share }
    }),
    of_unit("currency", "average_deposit", average_deposit),
    of_unit("currency", "average_suggested_limit", average_suggested_limit),
    share("unsecured_share", unsecured_share),
    share("first_loan_share", first_loan_share),
    share("within_3_km_share", within_3_km_share),
    of_unit("m", "nearest_point_median_m", |m| nearest_point(m, "0.5")),
    of_unit("m", "nearest_point_p90_m", |m| nearest_point(m, "0.9")),
];

static LOANS: [Indicator; 12] = [
    of_unit("currency", "agricultural_balance", |m| Figure::amount(Part::money(today(m, is_agricultural)))),
    of_unit("currency", "all_balance", |m| Figure::amount(Part::money(today(m, is_any)))),
    of_unit("currency", "inclusive_small_balance", |m| Figure::amount(Part::money(today(m, is_small)))),
    share("agricultural_growth", |m| growth(m, is_agricultural)),
    share("all_growth", |m| growth(m, is_any)),
    share("inclusive_small_growth", |m| growth(m, is_small)),
    aimed_at(0.0, of_unit("percentage_points", "growth_gap", growth_gap)),
    aimed_at(
        0.75,
        share("agricultural_small_share", |m| {
            Figure::share(Part::money(today(m, is_agricultural_or_small)), Part::money(today(m, is_any)))
        }),
    ),
    of_unit("customers", "inclusive_small_customers", inclusive_small_customers),
    share("bad_loan_share", |m| bad_loan_share(m, is_any)),
    share("inclusive_bad_loan_share", |m| bad_loan_share(m, is_small)),
    share("average_rate", average_rate),
];

static AREAS: [Indicator; 7] = [
    of_areas("per_10000_adults", "branches_per_10000_adults", |m| {
        Figure::ratio(Part::number(m.open_branches()), adults(m), 10_000.0)
    }),
    of_areas("per_1000_km2", "branches_per_1000_km2", |m| {
        Figure::ratio(Part::number(m.open_branches()), land_km2(m), 1_000.0)
    }),
    of_areas("per_10000_adults", "points_per_10000_adults", |m| {
        Figure::ratio(points_that(m, |_| true), adults(m), 10_000.0)
    }),
    of_areas("share", "village_service_share", village_service_share),
    aimed_at(1.0, of_areas("share", "withdrawal_point_share", withdrawal_point_share)),
    Indicator {
        target: Target::ByProgrammeYear(&[0.30, 0.70, 1.00]),
        ..of_areas("share", "gridded_area_share", gridded_area_share)
    },
    of_areas("share", "credit_village_share", credit_village_share),
];

static CONDUCT: [Indicator; 7] = [
    aimed_at(1.0, share("staffed_grid_share", staffed_grid_share)),
    aimed_at(1.0, share("complete_station_share", complete_station_share)),
    share("valid_visit_share", |m| {
        let onsite = |checked: &CheckedVisit| checked.visit.channel == "onsite";
        Figure::share(visits_that(m, |checked| checked.is_valid && onsite(checked)), visits_that(m, onsite))
    }),
    share("issues_resolved_share", |m| {
        let resolved = |checked: &CheckedVisit| issues::is_raised(checked.visit) && !issues::is_open(checked.visit);
        Figure::share(visits_that(m, resolved), visits_that(m, |checked| issues::is_raised(checked.visit)))
    }),
    share("resolved_in_grid_share", |m| {
        let resolved = |checked: &CheckedVisit| issues::is_raised(checked.visit) && !issues::is_open(checked.visit);
        let in_grid = |checked: &CheckedVisit| issues::is_resolved_in(checked.visit, "grid");
        Figure::share(visits_that(m, in_grid), visits_that(m, resolved))
    }),
    share("stale_profile_share", stale_profile_share),
    of_unit("hours", "record_delay_p90_hours", record_delay),
];

static DISTRIBUTION: [Indicator; 4] = [
    of_unit("index", "credit_gini", |m| distribution(m, gini(&credits(&m.homes)))),
    of_unit("index", "credit_theil", |m| distribution(m, theil(&credits(&m.homes)))),
    Indicator {
        levels: &["bank"],
        ..of_unit("index", "credit_theil_between", |m| distribution(m, theil_between(&credits_by_branch(m))))
    },
    Indicator { levels: &["bank", "county", "township"], ..of_unit("index", "inclusion_index", inclusion_index) },
];

/// How many households are such; the name is a count of `coverage`, or the only one of its kind.
fn count_where(m: &Members, name: &'static str, is_collected: bool, holds: impl Fn(&Home) -> bool) -> Part {
    let number = m.homes.iter().filter(|home| holds(home)).count();
    Part { count_of: Some(name), ..Part::number_where(is_collected, number) }
}

/// A count of households under its name in `coverage`.
fn count(m: &Members, name: &'static str) -> Part {
    let is_collected = match name {
        "profiled" | "profiled_fresh" | "graded" | "suggested" => m.has_profiles(),
        "granted" | "drawn" => m.has_decisions(),
        _ => true,
    };
    count_where(m, name, is_collected, |home| coverage::is_counted(name, home.outcome))
}

/// The sum of a fact over households; a null one adds nothing. In hundredths.
fn money_where(m: &Members, fact: &str, holds: impl Fn(&Outcome) -> bool) -> i128 {
    let homes = m.homes.iter().filter(|home| holds(home.outcome));
    homes.map(|home| home.outcome.facts.integer(fact).unwrap_or(0)).sum()
}

fn granting_share(m: &Members) -> Figure {
    Figure::share(count(m, "granted"), count(m, "households"))
}

fn account_share(m: &Members) -> Figure {
    Figure::share(count(m, "with_account"), count(m, "households"))
}

fn average_deposit(m: &Members) -> Figure {
    let has_account = |outcome: &Outcome| coverage::is_counted("with_account", outcome);
    let deposits = Part::money(money_where(m, "deposit_average_12m", has_account));
    Figure::ratio(deposits, count(m, "with_account"), 1.0)
}

fn average_suggested_limit(m: &Members) -> Figure {
    let limits: i128 = m.homes.iter().map(|home| home.outcome.limit.suggested).sum();
    let limits = if m.has_profiles() { Part::money(limits) } else { Part::of(None) };
    Figure::ratio(limits, count(m, "suggested"), 1.0)
}

fn unsecured_share(m: &Members) -> Figure {
    let unsecured = Part::money(money_where(m, "own_unsecured_outstanding", |_| true));
    Figure::share(unsecured, Part::money(money_where(m, "own_outstanding", |_| true)))
}

/// Borrowing households whose first loan was disbursed in W(12).
fn first_loan_share(m: &Members) -> Figure {
    let is_first = |home: &Home| {
        let first = home.outcome.evidence.loans.iter().map(|rows| rows.loan.disbursed_on).min();
        let is_recent = first.is_some_and(|day| m.night.as_of.window_contains(12, day));
        is_recent && coverage::is_counted("borrowing", home.outcome)
    };
    Figure::share(count_where(m, "first_loan", true, is_first), count(m, "borrowing"))
}

fn within_3_km_share(m: &Members) -> Figure {
    let is_near = |home: &Home| home.nearest_point_m.is_some_and(|distance| distance <= 3_000.0);
    let has_position = |home: &Home| home.outcome.evidence.household.position.is_some();
    let near = count_where(m, "within_3_km", m.points.is_some(), is_near);
    Figure::share(near, count_where(m, "with_position", true, has_position))
}

fn nearest_point(m: &Members, rank: &str) -> Figure {
    let distances: Vec<f64> = m.homes.iter().filter_map(|home| home.nearest_point_m).collect();
    let observed = count_where(m, "measured", m.points.is_some(), |home| home.nearest_point_m.is_some());
    Figure::spread(observed, nearest_rank(&distances, Ratio::decimal(rank)))
}

fn is_any(_: &Debt, _: Standing) -> bool {
    true
}

fn is_agricultural(debt: &Debt, _: Standing) -> bool {
    debt.loan.is_agricultural
}

fn is_small(debt: &Debt, standing: Standing) -> bool {
    debt.is_inclusive_small(standing)
}

/// Counted once.
fn is_agricultural_or_small(debt: &Debt, standing: Standing) -> bool {
    debt.loan.is_agricultural || debt.is_inclusive_small(standing)
}

type Belongs = fn(&Debt, Standing) -> bool;

/// The balance on T, in hundredths; a loan that is not open has none.
fn today(m: &Members, belongs: Belongs) -> i128 {
    balance(m, |debt| debt.today, belongs)
}

fn year_ago(m: &Members, belongs: Belongs) -> i128 {
    balance(m, |debt| debt.year_ago, belongs)
}

fn balance(m: &Members, on: fn(&Debt) -> Standing, belongs: Belongs) -> i128 {
    let debts = m.debts.iter().filter(|debt| belongs(debt, on(debt)));
    debts.map(|debt| on(debt).outstanding).sum()
}

fn growth(m: &Members, belongs: Belongs) -> Figure {
    let (now, before) = (today(m, belongs), year_ago(m, belongs));
    Figure::ratio(Part::money(now - before), Part::money(before), 1.0)
}

/// The difference of the two growths is taken exactly, since it may be small against either.
fn growth_gap(m: &Members) -> Figure {
    let grown = |belongs: Belongs| {
        let before = year_ago(m, belongs);
        Ratio::share(today(m, belongs) - before, before)
    };
    let gap = grown(is_agricultural_or_small).zip(grown(is_any)).map(|(part, all)| {
        let difference = part.numerator * all.denominator - all.numerator * part.denominator;
        Ratio::new(100 * difference, part.denominator * all.denominator).as_float()
    });
    Figure::without_parts(gap.map_or(Value::Impossible, Value::Is))
}

/// Distinct households or, outside the grids, loans.
fn inclusive_small_customers(m: &Members) -> Figure {
    let small = m.debts.iter().filter(|debt| debt.is_inclusive_small(debt.today));
    let customers: BTreeSet<_> = small.map(|debt| debt.customer()).collect();
    Figure::amount(Part { count_of: Some("customers"), ..Part::number(customers.len()) })
}

fn bad_loan_share(m: &Members, belongs: Belongs) -> Figure {
    let bad = m.debts.iter().filter(|debt| debt.is_bad && belongs(debt, debt.today));
    Figure::share(Part::money(bad.map(|debt| debt.today.outstanding).sum()), Part::money(today(m, belongs)))
}

/// Over the loans disbursed from 1 January to T, open or not.
fn average_rate(m: &Members) -> Figure {
    let loans = m.debts.iter().map(|debt| debt.loan);
    let this_year: Vec<_> = loans.filter(|loan| loan.disbursed_on.year == m.night.as_of.year).collect();
    let interest: i128 = this_year.iter().map(|loan| loan.principal * loan.annual_rate_millionths).sum();
    let interest = Part::of(Some(Ratio::new(interest, 100 * 1_000_000)));
    Figure::ratio(interest, Part::money(this_year.iter().map(|loan| loan.principal).sum()), 1.0)
}

fn adults(m: &Members) -> Part {
    Part::of(Some(Ratio::new(m.own.iter().map(|area| area.adult_population).sum(), 1)))
}

/// The known figures; nothing when none of the areas has one.
fn land_km2(m: &Members) -> Part {
    let known: Vec<i128> = m.own.iter().filter_map(|area| area.land_km2).collect();
    let is_collected = m.own.is_empty() || !known.is_empty();
    Part::of(is_collected.then(|| Ratio::new(known.iter().sum(), 10_000)))
}

fn points_that(m: &Members, holds: impl Fn(&ServicePoint) -> bool) -> Part {
    let points = m.points.as_ref().map(|points| points.iter().filter(|point| holds(point)).count());
    Part::number_where(points.is_some(), points.unwrap_or(0))
}

fn areas_that(m: &Members, holds: impl Fn(&Area) -> bool) -> usize {
    m.areas.iter().filter(|area| holds(area)).count()
}

fn is_village(area: &Area) -> bool {
    area.level == "village"
}

/// Villages with such an open service point of their own, of all villages. Whatever lies in a village lies in the place
/// that the village is in.
fn villages_with(m: &Members, holds: impl Fn(&ServicePoint) -> bool) -> Figure {
    let points = m.points.as_deref().unwrap_or_default();
    let served = |area: &Area| points.iter().any(|point| point.area_id == area.area_id && holds(point));
    let villages = areas_that(m, |area| is_village(area) && served(area));
    Figure::share(Part::number_where(m.points.is_some(), villages), Part::number(areas_that(m, is_village)))
}

fn village_service_share(m: &Members) -> Figure {
    villages_with(m, |_| true)
}

/// Withdrawal points used in W(3).
fn withdrawal_point_share(m: &Members) -> Figure {
    villages_with(m, |point| {
        let is_used = point.last_used_on.is_some_and(|day| m.night.as_of.window_contains(3, day));
        point.kind == "withdrawal_point" && is_used
    })
}

fn gridded_area_share(m: &Members) -> Figure {
    let gridded =
        areas_that(m, |area| is_village_or_community(area) && m.grids.iter().any(|grid| grid.area_id == area.area_id));
    Figure::share(Part::number(gridded), Part::number(areas_that(m, is_village_or_community)))
}

/// Villages and communities with a star, of those with enough households.
fn credit_village_share(m: &Members) -> Figure {
    let starred = Part::number_where(m.has_profiles(), areas_that(m, |area| m.has_star(area)));
    let households_min = m.night.policy.villages.households_min;
    let large = areas_that(m, |area| is_village_or_community(area) && m.households_in(area) as i128 >= households_min);
    Figure::share(starred, Part::number(large))
}

fn staffed_grid_share(m: &Members) -> Figure {
    let primaries = |grid_id: &str| m.night.register.officers_of(grid_id, "primary").len();
    let staffed = m.grids.iter().filter(|grid| primaries(&grid.grid_id) == 1).count();
    Figure::share(Part::number(staffed), Part::number(m.grids.len()))
}

fn complete_station_share(m: &Members) -> Figure {
    let is_station = |point: &ServicePoint| point.kind == "station";
    let complete = points_that(m, |point| is_station(point) && point.station_items == Some(10));
    Figure::share(complete, points_that(m, is_station))
}

fn visits_that(m: &Members, holds: impl Fn(&CheckedVisit) -> bool) -> Part {
    Part::number(m.visits.iter().filter(|checked| holds(checked)).count())
}

fn stale_profile_share(m: &Members) -> Figure {
    let fresh_days = i128::from(m.night.policy.fresh_days);
    let is_stale =
        |home: &Home| home.outcome.facts.integer("profile_age_days").is_some_and(|age_days| age_days > fresh_days);
    Figure::share(count_where(m, "stale", m.has_profiles(), is_stale), count(m, "profiled"))
}

fn record_delay(m: &Members) -> Figure {
    let hours = m.visits.iter().map(|checked| {
        let visit = checked.visit;
        visit.recorded_at.microseconds_since(visit.ended_at) as f64 / MICROSECONDS_PER_HOUR as f64
    });
    Figure::spread(Part::number(m.visits.len()), nearest_rank(&hours.collect::<Vec<_>>(), Ratio::decimal("0.9")))
}

fn credits(homes: &[Home]) -> Vec<i128> {
    homes.iter().map(|home| home.outcome.facts.integer("own_outstanding").unwrap_or(0)).collect()
}

fn credits_by_branch(m: &Members) -> Vec<Vec<i128>> {
    let mut branches: BTreeMap<&str, Vec<Home>> = BTreeMap::new();
    for home in &m.homes {
        branches.entry(&home.outcome.grid.branch_id).or_default().push(*home);
    }
    branches.values().map(|homes| credits(homes)).collect()
}

fn distribution(m: &Members, value: Option<f64>) -> Figure {
    Figure::spread(count(m, "households"), value)
}

/// Penetration, availability and usage.
fn inclusion_index(m: &Members) -> Figure {
    let parts = [(account_share(m), 1.0, 1.0), (village_service_share(m), 0.5, 1.0), (granting_share(m), 0.5, 0.6)];
    if parts.iter().any(|(figure, _, _)| matches!(figure.value, Value::NotCollected)) {
        return Figure::without_parts(Value::NotCollected);
    }
    let dimensions: Option<Vec<Dimension>> = parts
        .iter()
        .map(|(figure, weight, best)| {
            let value = figure.value.number()?;
            Some(Dimension { value, worst: 0.0, best: *best, weight: *weight })
        })
        .collect();
    Figure::without_parts(dimensions.map_or(Value::Impossible, |dimensions| {
        let (from_worst, from_best) = sarma_distances(&dimensions);
        Value::Is((from_worst + from_best) / 2.0)
    }))
}
