//! Credit villages and communities by stars, and the credit townships and counties above them.
//! What the stars are worth in the next run's rates is left to `limits`.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::exact::{Ratio, format_money};
use super::policy::{StarThresholds, VillagePolicy};
use super::reading::Area;
use super::register::is_village_or_community;
use super::tables::Table;
use super::{Night, Outcome};

/// What was counted in one area and its sub-areas; money in hundredths.
#[derive(Debug, Default)]
struct Tally {
    households: i128,
    credit_households: i128,
    borrowers: i128,
    prompt_borrowers: i128,
    outstanding: i128,
    bad_outstanding: i128,
}

impl Tally {
    fn add(&mut self, policy: &VillagePolicy, outcome: &Outcome) {
        let fact = |name| outcome.facts.integer(name);
        let is_refused = ["decline", "suspend"].contains(&outcome.decision());
        let is_credit = policy.credit_grades.contains(&outcome.final_result.grade) && !is_refused;
        let is_borrower = fact("instalments_due_24m").is_some_and(|due| due > 0);
        let is_prompt = is_borrower && fact("delay_days_max_24m").is_some_and(|delay| delay <= policy.prompt_days);
        self.households += 1;
        self.credit_households += i128::from(is_credit);
        self.borrowers += i128::from(is_borrower);
        self.prompt_borrowers += i128::from(is_prompt);
        self.outstanding += fact("own_outstanding").unwrap_or(0);
        self.bad_outstanding += fact("own_bad_outstanding").unwrap_or(0);
    }

    fn credit_share(&self) -> Option<Ratio> {
        Ratio::share(self.credit_households, self.households)
    }

    fn prompt_share(&self) -> Option<Ratio> {
        Ratio::share(self.prompt_borrowers, self.borrowers)
    }

    fn bad_share(&self) -> Option<Ratio> {
        Ratio::share(self.bad_outstanding, self.outstanding)
    }

    /// The most stars whose three thresholds all hold; 0 under *households_min* households.
    fn stars(&self, policy: &VillagePolicy) -> usize {
        if self.households < policy.households_min {
            return 0;
        }
        let place = policy.stars.iter().rposition(|thresholds| self.reaches(thresholds));
        place.map_or(0, |place| place + 1)
    }

    /// "a null share holds"
    fn reaches(&self, thresholds: &StarThresholds) -> bool {
        let is_at_least =
            |share: Option<Ratio>, bound| share.is_none_or(|share| share.compare(bound) != Ordering::Less);
        let is_at_most =
            |share: Option<Ratio>, bound| share.is_none_or(|share| share.compare(bound) != Ordering::Greater);
        is_at_least(self.credit_share(), thresholds.credit_share_min)
            && is_at_least(self.prompt_share(), thresholds.prompt_share_min)
            && is_at_most(self.bad_share(), thresholds.bad_share_max)
    }
}

/// What an area became.
struct Rating {
    starred_below: Option<usize>,
    stars: Option<usize>,
    is_credit_area: bool,
}

pub fn village_ratings(night: &Night) -> Table {
    let columns = [
        "area_id",
        "level",
        "households",
        "credit_households",
        "credit_share",
        "borrowers",
        "prompt_borrowers",
        "prompt_share",
        "outstanding",
        "bad_outstanding",
        "bad_share",
        "starred_below",
        "stars",
        "is_credit_area",
    ];
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    for outcome in night.outcomes_in_valid_grids() {
        for area in night.register.with_areas_above(&outcome.grid.area_id) {
            tallies.entry(&area.area_id).or_default().add(&night.policy.villages, outcome);
        }
    }
    let mut ratings: BTreeMap<&str, Rating> = BTreeMap::new();
    // Bottom up: an area above reads the ratings of those directly below.
    for levels in [&["village", "community"][..], &["township"], &["county"]] {
        for area in night.register.areas.values().filter(|area| levels.contains(&area.level.as_str())) {
            if let Some(tally) = tallies.get(area.area_id.as_str()) {
                let rating = rate(night, area, tally, &ratings);
                ratings.insert(&area.area_id, rating);
            }
        }
    }
    let rows = tallies.iter().map(|(area_id, tally)| row(night.register.areas[area_id], tally, &ratings[area_id]));
    Table::new("village_ratings", &columns, rows.collect())
}

fn rate(night: &Night, area: &Area, tally: &Tally, below: &BTreeMap<&str, Rating>) -> Rating {
    let policy = &night.policy.villages;
    if is_village_or_community(area) {
        let stars = tally.stars(policy);
        return Rating { starred_below: None, stars: Some(stars), is_credit_area: stars >= 1 };
    }
    let (levels, needed) = match area.level.as_str() {
        "township" => (&["village", "community"][..], policy.township_share),
        _ => (&["township"][..], policy.county_share),
    };
    let all = night.register.sub_areas(&area.area_id, levels);
    let starred: BTreeSet<&str> = all
        .iter()
        .map(|sub_area| sub_area.area_id.as_str())
        .filter(|area_id| below.get(area_id).is_some_and(|rating| rating.is_credit_area))
        .collect();
    // Nothing of nothing is no share: such an area is no credit area.
    let share = Ratio::share(starred.len() as i128, all.len() as i128);
    let is_credit_area = share.is_some_and(|share| share.compare(needed) != Ordering::Less);
    Rating { starred_below: Some(starred.len()), stars: None, is_credit_area }
}

fn row(area: &Area, tally: &Tally, rating: &Rating) -> Vec<String> {
    let share = |share: Option<Ratio>| share.map_or(String::new(), |share| share.as_float().to_string());
    let optional = |count: Option<usize>| count.map_or(String::new(), |count| count.to_string());
    vec![
        area.area_id.clone(),
        area.level.clone(),
        tally.households.to_string(),
        tally.credit_households.to_string(),
        share(tally.credit_share()),
        tally.borrowers.to_string(),
        tally.prompt_borrowers.to_string(),
        share(tally.prompt_share()),
        format_money(tally.outstanding),
        format_money(tally.bad_outstanding),
        share(tally.bad_share()),
        optional(rating.starred_below),
        optional(rating.stars),
        rating.is_credit_area.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::examples::{area, bank, cell, grid, household, instalment, loan, run_with};
    use super::super::policy::Policy;
    use super::super::reading::Bank;
    use super::*;

    fn tally(credit_households: i128, prompt_borrowers: i128, bad_outstanding: i128) -> Tally {
        Tally {
            households: 100,
            credit_households,
            borrowers: 100,
            prompt_borrowers,
            outstanding: 10_000,
            bad_outstanding,
        }
    }

    #[test]
    fn the_most_stars_whose_three_thresholds_all_hold() {
        let policy = Policy::default().villages;
        let stars = |credit, prompt, bad| tally(credit, prompt, bad).stars(&policy);
        assert_eq!(stars(50, 90, 300), 1);
        assert_eq!(stars(49, 90, 300), 0);
        assert_eq!(stars(50, 89, 300), 0);
        assert_eq!(stars(50, 90, 301), 0);
        assert_eq!(stars(70, 90, 300), 2);
        assert_eq!(stars(80, 95, 100), 3);
        assert_eq!(stars(80, 95, 101), 2);
        assert_eq!(stars(80, 94, 100), 2);
    }

    #[test]
    fn a_null_share_holds_and_few_households_earn_nothing() {
        let policy = Policy::default().villages;
        let few = |households| Tally { households, credit_households: households, ..Tally::default() };
        assert_eq!(few(19).stars(&policy), 0);
        assert_eq!(few(20).stars(&policy), 3);
    }

    /// Two villages of a township, one of them with a household; an empty township; and a community
    /// of the county itself with a household.
    fn tree() -> Bank {
        let mut bank = bank();
        bank.areas = vec![
            area("A1", "village", Some("T1")),
            area("A2", "village", Some("T1")),
            area("A3", "community", Some("C1")),
            area("C1", "county", None),
            area("T1", "township", Some("C1")),
            area("T2", "township", Some("C1")),
        ];
        let place = |grid_id: &str, area_id: &str| {
            let mut grid = grid(grid_id);
            grid.area_id = area_id.to_string();
            grid
        };
        bank.grids = vec![place("G1", "A1"), place("G3", "A3")];
        let mut other = household("H3");
        other.grid_id = "G3".to_string();
        bank.households.push(other);
        bank
    }

    #[test]
    fn what_lies_directly_below_makes_a_credit_township_or_county() {
        let mut policy = Policy::default();
        policy.villages.households_min = 1;
        policy.villages.credit_grades = vec!["NR"];
        let rated = |policy: &Policy| {
            let tables = run_with(policy, tree());
            let rows = tables["village_ratings"].rows.iter();
            rows.map(|row| format!("{} {} {} {}", row[0], row[11], row[12], row[13])).collect::<Vec<_>>()
        };
        // A2 has no household and counts below the line; so does T2.
        assert_eq!(rated(&policy), ["A1  3 true", "A3  3 true", "C1 1  false", "T1 1  true"]);
        policy.villages.county_share = Ratio::decimal("0.5");
        assert_eq!(rated(&policy)[2], "C1 1  true");
        policy.villages.township_share = Ratio::decimal("0.51");
        assert_eq!(rated(&policy)[2..], ["C1 0  false", "T1 1  false"]);
    }

    #[test]
    fn prompt_borrowers_and_bad_loans_are_rolled_up() {
        let rated = |paid_on| {
            let late = Bank {
                loans: vec![loan("2024-01-01", None)],
                instalments: Some(vec![instalment("2026-01-31", Some(paid_on))]),
                ..tree()
            };
            let tables = run_with(&Policy::default(), late);
            let county = |column| cell(&tables["village_ratings"], "C1", column).to_string();
            ["households", "borrowers", "prompt_borrowers", "prompt_share", "outstanding", "bad_share"].map(county)
        };
        assert_eq!(rated("2026-03-02"), ["2", "1", "1", "1", "10000.00", "0"]);
        assert_eq!(rated("2026-03-03"), ["2", "1", "0", "0", "10000.00", "0"]);
    }
}
