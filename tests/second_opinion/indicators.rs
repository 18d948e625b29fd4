//! Indicators: every record of the catalogue for the bank, its branches and every area. Parts are summed row by row at
//! the level shown, the value is taken last. Primary suppression is worked out, what else must be suppressed so that
//! nothing is found by subtraction is not: such a row may be published or not, and `disclosure` takes it as it is.

mod catalogue;
pub mod disclosure;
mod figures;
mod loans;
mod members;
mod spread;

use super::exact::{Ratio, divide_half_up, format_scaled};
use super::reading::Bank;
use super::tables::Table;
use super::{Night, coverage};
use catalogue::{Indicator, Target, catalogue};
use figures::Figure;
use members::{Books, Members, Place};

/// Of `branch_coverage`, in front of them all households together.
const SEGMENTS: [&str; 3] = ["business", "resident", "rural"];

/// One row before it is known what may be published of it.
struct Row<'a> {
    indicator: &'static Indicator,
    level: &'a str,
    ref_id: &'a str,
    breakdown: &'static str,
    figure: Figure,
}

pub fn indicators(night: &Night, bank: &Bank) -> Table {
    let columns = [
        "indicator_id",
        "version",
        "level",
        "ref_id",
        "breakdown",
        "period",
        "numerator",
        "denominator",
        "value",
        "unit",
        "target",
        "met",
        "status",
        "published_value",
    ];
    let books = Books::open(night, bank);
    let mut rows = Vec::new();
    for place in books.places() {
        rows.extend(rows_of_place(&books, &place));
    }
    rows.sort_by_key(|row| (row.indicator.id, row.level, row.ref_id, row.breakdown));
    let suppressed = disclosure::primary(&rows, night.policy.cell_min);
    let rows = rows.iter().map(|row| {
        let status = disclosure::status(row, &suppressed);
        cells(night, bank, row, status)
    });
    Table::new("indicators", &columns, rows.collect())
}

fn rows_of_place<'a>(books: &'a Books<'a>, place: &Place<'a>) -> Vec<Row<'a>> {
    let all = books.members_of(place);
    let mut rows = Vec::new();
    for indicator in catalogue() {
        if !indicator.levels.contains(&place.level()) {
            continue;
        }
        let mut add = |breakdown, members: &Members| {
            let figure = (indicator.measure)(members);
            rows.push(Row { indicator, level: place.level(), ref_id: place.ref_id(), breakdown, figure });
        };
        add("all", &all);
        if indicator.has_segments {
            SEGMENTS.iter().for_each(|segment| add(segment, &all.of_segment(segment)));
        }
    }
    rows
}

fn cells(night: &Night, bank: &Bank, row: &Row, status: &str) -> Vec<String> {
    let indicator = row.indicator;
    let value = row.figure.value.number();
    let target = target(night, bank, indicator);
    // More is better in every indicator that has a target.
    let met = value.zip(target).map(|(value, target)| value >= target);
    let published = value.filter(|_| status != "Q");
    let number = |number: Option<f64>| number.map_or(String::new(), |number| number.to_string());
    let part = |part: Option<Ratio>| part.map_or(String::new(), four_decimals);
    vec![
        indicator.id.to_string(),
        "1".to_string(),
        row.level.to_string(),
        row.ref_id.to_string(),
        row.breakdown.to_string(),
        night.as_of.to_string(),
        part(row.figure.numerator.and_then(|part| part.amount)),
        part(row.figure.denominator.and_then(|part| part.amount)),
        number(value),
        indicator.unit.to_string(),
        number(target),
        met.map_or(String::new(), |met| met.to_string()),
        status.to_string(),
        number(published),
    ]
}

/// Rounded half up to four decimals.
fn four_decimals(part: Ratio) -> String {
    format_scaled(divide_half_up(part.numerator * 10_000, part.denominator), 4)
}

/// By programme year: that of the bank's first grid, valid or not; none before it joined, and none without a grid.
fn target(night: &Night, bank: &Bank, indicator: &Indicator) -> Option<f64> {
    match indicator.target {
        Target::None => None,
        Target::AtLeast(value) => Some(value),
        Target::ByProgrammeYear(years) => {
            let first = bank.grids.iter().map(|grid| grid.joined_on).min()?;
            let year = usize::try_from(coverage::programme_year(first, night.as_of)).ok()?.checked_sub(1)?;
            years.get(year).or(years.last()).copied()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::{area, bank, branch, date, grid, household, loan, run, visit};
    use super::super::reading::{Bank, Loan, ServicePoint};
    use super::super::tables::Table;

    /// `numerator / denominator = value status` of a row.
    fn shown(table: &Table, indicator_id: &str, level: &str, ref_id: &str) -> String {
        let is_row = |row: &&Vec<String>| row[0] == indicator_id && row[2] == level && row[3] == ref_id;
        let row = table.rows.iter().find(|row| is_row(row) && row[4] == "all").expect("the row is there");
        let short = |cell: &str| if cell.contains('.') { cell.trim_end_matches('0') } else { cell }.to_string();
        format!("{} / {} = {} {}", short(&row[6]), short(&row[7]), row[8], row[12]).replace(". ", " ")
    }

    fn of_bank(bank: Bank, indicator_id: &str) -> String {
        shown(&run(bank)["indicators"], indicator_id, "bank", "bank")
    }

    fn households(count: usize) -> Bank {
        Bank { households: (1..=count).map(|number| household(&format!("H{number}"))).collect(), ..bank() }
    }

    fn point(kind: &str) -> ServicePoint {
        ServicePoint {
            area_id: "A1".to_string(),
            branch_id: "B1".to_string(),
            kind: kind.to_string(),
            opened_on: date("2020-01-01"),
            closed_on: None,
            last_used_on: None,
            position: None,
            station_items: None,
        }
    }

    #[test]
    fn what_is_absent_is_not_collected_and_nothing_of_nothing_cannot_exist() {
        let absent = || Bank { profiles: None, decisions: None, ..households(3) };
        assert_eq!(of_bank(absent(), "profile_share"), " / 3 =  L");
        assert_eq!(of_bank(absent(), "grading_share"), " /  =  L");
        assert_eq!(of_bank(absent(), "granting_share"), " / 3 =  L");
        assert_eq!(of_bank(households(3), "grading_share"), "0 / 0 =  M");
        assert_eq!(of_bank(households(3), "granting_share"), "0 / 3 = 0 A or Q");
        assert_eq!(of_bank(households(3), "village_service_share"), " / 1 =  L");
        assert_eq!(of_bank(households(3), "inclusion_index"), " /  =  L");
    }

    #[test]
    fn one_or_two_households_are_suppressed_wherever_they_are_counted() {
        assert_eq!(of_bank(households(2), "visiting_share"), "0 / 2 = 0 Q");
        let loans = |count: usize| {
            let loans = (1..=count).map(|number| Loan {
                household_id: Some(format!("H{number}")),
                loan_id: format!("L{number}"),
                ..loan("2026-01-01", None)
            });
            Bank { loans: loans.collect(), ..households(6) }
        };
        assert_eq!(of_bank(loans(2), "borrowers_per_1000_households"), "2 / 6 = 333.3333333333333 Q");
        assert_eq!(of_bank(loans(5), "borrowers_per_1000_households"), "5 / 6 = 833.3333333333334 Q");
        // Nothing is wrong with the first loans themselves, but their denominator is that numerator.
        assert_eq!(of_bank(loans(5), "first_loan_share"), "5 / 5 = 1 Q");
        assert_eq!(of_bank(loans(3), "first_loan_share"), "3 / 3 = 1 A or Q");
        assert_eq!(of_bank(loans(5), "credit_gini"), " / 6 = 0.16666666666666666 A or Q");
    }

    #[test]
    fn a_loan_outside_the_grids_counts_by_its_branch_and_in_no_area() {
        let mut gone = loan("2026-01-01", None);
        gone.household_id = Some("H9".to_string());
        gone.branch_id = "B2".to_string();
        let tables = run(Bank { loans: vec![gone], ..households(3) });
        let balance = |level, ref_id| shown(&tables["indicators"], "all_balance", level, ref_id);
        assert_eq!(balance("bank", "bank"), "10000 /  = 10000 A");
        assert_eq!(balance("branch", "B2"), "10000 /  = 10000 A");
        assert_eq!(balance("branch", "B1"), "0 /  = 0 A");
        assert_eq!(balance("village", "A1"), "0 /  = 0 A");
    }

    #[test]
    fn a_customer_is_small_by_all_its_lines_together() {
        let merchant = |loan_id: &str, household_id: Option<&str>, credit_line: i128| Loan {
            loan_id: loan_id.to_string(),
            household_id: household_id.map(str::to_string),
            borrower_kind: "merchant".to_string(),
            credit_line,
            ..loan("2026-01-01", None)
        };
        let bank = |loans| Bank { loans, ..households(3) };
        let limit = 1_000_000_000;
        let half = limit / 2;
        let together = |last| bank(vec![merchant("L1", Some("H1"), half), merchant("L2", Some("H1"), last)]);
        assert_eq!(of_bank(together(half), "inclusive_small_balance"), "20000 /  = 20000 A");
        assert_eq!(of_bank(together(half), "inclusive_small_customers"), "1 /  = 1 Q");
        assert_eq!(of_bank(together(half + 1), "inclusive_small_balance"), "0 /  = 0 A");
        let apart = bank(vec![merchant("L1", None, limit), merchant("L2", None, limit)]);
        assert_eq!(of_bank(apart, "inclusive_small_customers"), "2 /  = 2 Q");
        // A larger line that is paid back, and one that counts although it is no merchant's.
        let mut other = merchant("L2", Some("H1"), limit);
        other.borrower_kind = "farm_household".to_string();
        let both = |other: &Loan| bank(vec![merchant("L1", Some("H1"), 1), other.clone()]);
        assert_eq!(of_bank(both(&other), "inclusive_small_balance"), "0 /  = 0 A");
        other.closed_on = Some(date("2026-06-30"));
        assert_eq!(of_bank(both(&other), "inclusive_small_balance"), "10000 /  = 10000 A");
    }

    #[test]
    fn growth_compares_what_was_open_twelve_months_ago() {
        let closed = loan("2024-01-01", Some("2025-07-01"));
        let both = Bank { loans: vec![closed, Loan { principal: 4_000_000, ..loan("2026-01-01", None) }], ..bank() };
        assert_eq!(of_bank(both, "all_growth"), "30000 / 10000 = 3 A");
        let none = Bank { loans: vec![loan("2025-07-01", None)], ..bank() };
        assert_eq!(of_bank(none, "all_growth"), "10000 / 0 =  M");
    }

    #[test]
    fn a_density_is_over_the_areas_own_figure_and_the_bank_adds_the_known_ones() {
        let mut county = area("C1", "county", None);
        county.land_km2 = Some(500_000);
        let mut town = area("T1", "township", Some("C1"));
        town.land_km2 = Some(20_000);
        let mut other = area("C2", "county", None);
        other.adult_population = 500;
        let areas = vec![area("A1", "village", Some("T1")), county, other, town];
        let tables = run(Bank { areas, branches: vec![branch("B1"), branch("B2")], ..bank() });
        let density = |level, ref_id| shown(&tables["indicators"], "branches_per_1000_km2", level, ref_id);
        assert_eq!(density("bank", "bank"), "2 / 50 = 40 A");
        assert_eq!(density("township", "T1"), "2 / 2 = 1000 A");
        assert_eq!(density("village", "A1"), "2 /  =  L");
        assert_eq!(density("county", "C2"), "0 /  =  L");
        let adults = |level, ref_id| shown(&tables["indicators"], "branches_per_10000_adults", level, ref_id);
        assert_eq!(adults("bank", "bank"), "2 / 500 = 40 A");
        assert_eq!(adults("county", "C1"), "2 / 0 =  M");
    }

    #[test]
    fn points_serve_villages_not_communities() {
        let mut used = point("withdrawal_point");
        used.last_used_on = Some(date("2026-03-30"));
        let with = |point| Bank { service_points: Some(vec![point]), ..households(3) };
        assert_eq!(of_bank(with(used.clone()), "village_service_share"), "1 / 1 = 1 A");
        assert_eq!(of_bank(with(used.clone()), "withdrawal_point_share"), "0 / 1 = 0 A");
        used.last_used_on = Some(date("2026-03-31"));
        assert_eq!(of_bank(with(used.clone()), "withdrawal_point_share"), "1 / 1 = 1 A");
        used.closed_on = Some(date("2026-06-30"));
        assert_eq!(of_bank(with(used), "village_service_share"), "0 / 1 = 0 A");
        let community = Bank { areas: vec![area("A1", "community", None)], ..with(point("atm")) };
        assert_eq!(of_bank(community, "village_service_share"), "0 / 0 =  M");
        let mut station = point("station");
        station.station_items = Some(10);
        assert_eq!(of_bank(with(station), "complete_station_share"), "1 / 1 = 1 A");
        assert_eq!(of_bank(with(point("station")), "complete_station_share"), "0 / 1 = 0 A");
        assert_eq!(of_bank(with(point("mobile_station")), "complete_station_share"), "0 / 0 =  M");
    }

    #[test]
    fn visits_of_a_grid_that_ended_count_where_it_lay() {
        let mut ended = grid("G1");
        ended.valid_to = Some(date("2026-06-01"));
        let mut patrol = visit("V1", "2026-05-01T09:00:00", "2026-05-01T10:00:00");
        patrol.issue_level = "routine".to_string();
        let tables = run(Bank { grids: vec![ended], visits: vec![patrol], ..bank() });
        let of = |indicator, level, ref_id| shown(&tables["indicators"], indicator, level, ref_id);
        assert_eq!(of("valid_visit_share", "village", "A1"), "1 / 1 = 1 A");
        assert_eq!(of("issues_resolved_share", "bank", "bank"), "0 / 1 = 0 A");
        assert_eq!(of("record_delay_p90_hours", "bank", "bank"), " / 1 = 0 A");
        assert_eq!(of("visiting_share", "bank", "bank"), "0 / 0 =  M");
        assert!(!tables["indicators"].rows.iter().any(|row| row[2] == "branch"));
    }
}
