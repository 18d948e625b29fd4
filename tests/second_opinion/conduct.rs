//! The conduct ranking: households with conduct points, ranked in their village or community by
//! points per member; a vetoed household is listed without a rank.

use std::cmp::Ordering;

use super::exact::{Ratio, format_scaled};
use super::tables::Table;
use super::{Night, Outcome};

pub fn conduct_ranking(night: &Night) -> Table {
    let columns =
        ["area_id", "household_id", "member_count", "points_12m", "points_per_member", "rank", "is_honoured", "vetoes"];
    let listed: Vec<(&Outcome, i128)> = night
        .outcomes_in_valid_grids()
        .filter_map(|outcome| Some((outcome, outcome.facts.integer("conduct_points_12m")?)))
        .collect();
    let rows = listed.iter().map(|&(outcome, points)| {
        let household = outcome.evidence.household;
        let rank = rank(outcome, &listed);
        let is_honoured = rank.is_some_and(|rank| rank <= night.policy.honoured_max) && points > 0;
        let vetoes: Vec<&str> = outcome.grading.vetoes.iter().map(|veto| veto.code).collect();
        vec![
            outcome.grid.area_id.clone(),
            household.household_id.clone(),
            household.member_count.to_string(),
            format_scaled(points, 1),
            points_per_member(outcome, points).as_float().to_string(),
            rank.map_or(String::new(), |rank| rank.to_string()),
            is_honoured.to_string(),
            vetoes.join("|"),
        ]
    });
    Table::new("conduct_ranking", &columns, rows.collect())
}

fn points_per_member(outcome: &Outcome, points_tenths: i128) -> Ratio {
    Ratio::new(points_tenths, 10 * outcome.evidence.household.member_count)
}

/// One more than the households of the same area, without a veto, that come before; nothing for a
/// household with a veto.
fn rank(outcome: &Outcome, listed: &[(&Outcome, i128)]) -> Option<i128> {
    let competing = listed
        .iter()
        .filter(|(other, _)| other.grid.area_id == outcome.grid.area_id && other.grading.vetoes.is_empty());
    let mut order: Vec<(Ratio, &str)> = competing
        .map(|&(other, points)| (points_per_member(other, points), other.evidence.household.household_id.as_str()))
        .collect();
    order.sort_by(|(points, household_id), (other_points, other_household_id)| {
        let greatest_first = other_points.compare(*points);
        if greatest_first == Ordering::Equal { household_id.cmp(other_household_id) } else { greatest_first }
    });
    let place = order.iter().position(|(_, household_id)| *household_id == outcome.evidence.household.household_id);
    place.map(|place| place as i128 + 1)
}

#[cfg(test)]
mod tests {
    use super::super::examples::{bank, date, household, run_with};
    use super::super::policy::Policy;
    use super::super::reading::{Bank, ConductEvent};
    use super::super::tables::Tables;

    /// Households of 4 members with these points, in tenths, and whether the event is a veto.
    fn ranked(honoured_max: i128, events: &[(&str, i128, bool)]) -> Tables {
        let rows = events.iter().map(|(household_id, points_tenths, is_veto)| ConductEvent {
            household_id: household_id.to_string(),
            points_tenths: *points_tenths,
            status: "posted".to_string(),
            status_on: date("2026-06-01"),
            is_veto: *is_veto,
        });
        let mut households: Vec<_> = ["H1", "H2", "H3", "H4", "H5"].map(household).to_vec();
        households[0].member_count = 2;
        let policy = Policy { honoured_max, ..Policy::default() };
        run_with(&policy, Bank { households, conduct_events: Some(rows.collect()), ..bank() })
    }

    #[test]
    fn rank_is_by_points_per_member_then_by_household() {
        let tables = ranked(2, &[("H1", 50, false), ("H2", 100, false), ("H3", 104, false), ("H4", 900, true)]);
        let cells = |column| ["H1", "H2", "H3", "H4"].map(|household_id| of(&tables, household_id, column));
        assert_eq!(cells("points_per_member"), ["2.5", "2.5", "2.6", "22.5"]);
        assert_eq!(cells("rank"), ["2", "3", "1", ""]);
        assert_eq!(cells("is_honoured"), ["true", "false", "true", "false"]);
        assert_eq!(cells("vetoes"), ["", "", "", "V06_conduct"]);
        assert_eq!(tables["conduct_ranking"].rows.len(), 4);
    }

    #[test]
    fn points_of_0_and_below_are_ranked_and_not_honoured() {
        let tables = ranked(10, &[("H1", 0, false), ("H2", -1, false)]);
        let rows = ["H1", "H2"].map(|id| [of(&tables, id, "rank"), of(&tables, id, "is_honoured")].join(" "));
        assert_eq!(rows, ["1 false", "2 false"]);
    }

    fn of(tables: &Tables, household_id: &str, column: &str) -> String {
        let table = &tables["conduct_ranking"];
        let row = table.rows.iter().find(|row| row[1] == household_id).unwrap();
        table.cell(row, column).unwrap().to_string()
    }
}
