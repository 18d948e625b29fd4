//! The sample bank's rulebook, copied by hand from its signed text, so that a slip in the rule
//! files of the program shows as a difference. `Policy::default()` is the signed rulebook; a
//! test may change single values before it calculates.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::exact::{Ratio, parse_scaled};

pub const NOT_RATEABLE: &str = "NR";

#[derive(Clone, Debug)]
pub struct Policy {
    // Visit checks.
    pub minutes_min: i64,
    pub distance_max_m: f64,
    pub speed_max_kmh: f64,
    pub speed_distance_min_m: f64,
    pub record_hours_max: i64,
    pub day_starts_minute: i64,
    pub day_ends_minute: i64,
    // Facts and rateability.
    pub peer_reviews_min: i128,
    pub profile_days_max: i64,
    pub completeness_min: Ratio,
    pub fresh_days: i64,
    // Score and grade.
    pub scorecards: Vec<Scorecard>,
    pub blocks_off: BTreeSet<&'static str>,
    /// Best first; the last one starts at 0.
    pub grades: Vec<Grade>,
    pub veto_grade: &'static str,
    pub upgrade_margin_tenths: i128,
    pub vetoes: Vec<Veto>,
    // Limits; money in hundredths.
    pub product_cap: i128,
    pub service_share: Ratio,
    pub reference_rate: Ratio,
    pub term_months: i128,
    pub outside_weight: Ratio,
    pub guarantee_weight: Ratio,
    pub step: i128,
    pub minimum: i128,
    pub hold: i128,
    pub optional_caps: BTreeSet<&'static str>,
    pub star_discount_bp: i128,
    // Partition: grid kind, smallest and greatest number of households.
    pub sizes: Vec<(&'static str, i128, i128)>,
    pub count_tolerance: Ratio,
    /// By programme year from 1; the last one goes on.
    pub coverage_targets: Vec<Targets>,
    pub officers: OfficerPolicy,
    pub villages: VillagePolicy,
    // Conduct and notice.
    pub honoured_max: i128,
    pub notice_days: i64,
    // Grid funding, in hundredths.
    pub work_funds: Vec<(Bound, i128)>,
    pub service_rates: Vec<(&'static str, i128)>,
    pub work_list: WorkListPolicy,
    /// The smallest count of households that may leave the bank.
    pub cell_min: i128,
}

/// The shares of households to be profiled in one programme year.
#[derive(Clone, Debug)]
pub struct Targets {
    pub rural: Ratio,
    pub resident: Ratio,
    pub business: Ratio,
}

/// How officers are assessed; points are what a duty that is fully met is worth, in tenths.
#[derive(Clone, Debug)]
pub struct OfficerPolicy {
    pub households_visited: i128,
    pub care_households_visited: i128,
    pub grids_patrolled: i128,
    pub profiles_fresh: i128,
    pub visits_valid: i128,
    pub issues_resolved: i128,
    /// Best first, each with its *at_least* in tenths; the last one is the lowest.
    pub ratings: Vec<(&'static str, i128)>,
    pub onsite_min: i128,
    pub invalid_share_max: Ratio,
}

/// What makes a credit village, township and county.
#[derive(Clone, Debug)]
pub struct VillagePolicy {
    pub credit_grades: Vec<&'static str>,
    pub prompt_days: i128,
    pub households_min: i128,
    /// The thresholds of 1, 2 and 3 stars.
    pub stars: Vec<StarThresholds>,
    pub township_share: Ratio,
    pub county_share: Ratio,
}

/// When a household is on an officer's work list, and by when it is due.
#[derive(Clone, Debug)]
pub struct WorkListPolicy {
    pub filing_days: i64,
    pub visit_months: i64,
    pub care_visit_months: i64,
    pub expiry_notice_days: i64,
    pub urgent_issue_days: i64,
    pub repeat_visit_days: i64,
}

#[derive(Clone, Debug)]
pub struct StarThresholds {
    pub credit_share_min: Ratio,
    pub prompt_share_min: Ratio,
    pub bad_share_max: Ratio,
}

#[derive(Clone, Debug)]
pub struct Scorecard {
    pub id: &'static str,
    pub kinds: Vec<&'static str>,
    pub characteristics: Vec<Characteristic>,
}

#[derive(Clone, Debug)]
pub struct Characteristic {
    pub fact: &'static str,
    pub block: &'static str,
    /// Read top to bottom; the first that matches gives the points.
    pub bins: Vec<Bin>,
    pub missing_tenths: i128,
}

#[derive(Clone, Copy, Debug)]
pub struct Bin {
    pub bound: Bound,
    pub points_tenths: i128,
}

#[derive(Clone, Copy, Debug)]
pub enum Bound {
    AtLeast(Ratio),
    AtMost(Ratio),
    Otherwise,
}

#[derive(Clone, Debug)]
pub struct Grade {
    pub name: &'static str,
    pub at_least_tenths: i128,
    pub cap: i128,
    pub income_multiple: Ratio,
    pub net_asset_ratio: Ratio,
    pub spread_bp: i128,
}

#[derive(Clone, Debug)]
pub struct Veto {
    pub code: &'static str,
    pub condition: Condition,
    pub is_overridable: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Condition {
    Watchlist(&'static str),
    Above(&'static str, i128),
    AtLeast(&'static str, i128),
}

impl Bound {
    pub fn matches(self, value: Ratio) -> bool {
        match self {
            Bound::AtLeast(bound) => value.compare(bound) != Ordering::Less,
            Bound::AtMost(bound) => value.compare(bound) != Ordering::Greater,
            Bound::Otherwise => true,
        }
    }
}

impl Characteristic {
    /// The best bin's points.
    pub fn maximum_tenths(&self) -> i128 {
        self.bins.iter().map(|bin| bin.points_tenths).max().unwrap_or(0)
    }
}

impl Policy {
    pub fn scorecard_of(&self, kind: &str) -> &Scorecard {
        self.scorecards
            .iter()
            .find(|card| card.kinds.contains(&kind))
            .unwrap_or_else(|| panic!("no scorecard for the kind `{kind}`"))
    }

    /// A grade of the scale other than the veto grade.
    pub fn grade(&self, name: &str) -> Option<&Grade> {
        self.grades.iter().find(|grade| grade.name == name)
    }

    /// Place in the order AAA … C, D, NR: the smaller, the better.
    pub fn rank(&self, name: &str) -> usize {
        let unrated = [self.veto_grade, NOT_RATEABLE];
        self.grades.iter().map(|grade| grade.name).chain(unrated).position(|other| other == name).unwrap_or(usize::MAX)
    }
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            minutes_min: 5,
            distance_max_m: 500.0,
            speed_max_kmh: 120.0,
            speed_distance_min_m: 1_000.0,
            record_hours_max: 72,
            day_starts_minute: 7 * 60,
            day_ends_minute: 21 * 60,
            peer_reviews_min: 3,
            profile_days_max: 730,
            completeness_min: Ratio::decimal("0.6"),
            fresh_days: 365,
            scorecards: vec![farm_household(), resident(), business()],
            blocks_off: BTreeSet::new(),
            grades: vec![
                grade("AAA", "90", "200000", "2.0", "0.50", 200),
                grade("AA", "80", "150000", "1.5", "0.40", 225),
                grade("A", "70", "100000", "1.2", "0.30", 250),
                grade("B", "60", "50000", "0.8", "0.20", 275),
                grade("C", "0", "20000", "0.5", "0.10", 300),
            ],
            veto_grade: "D",
            upgrade_margin_tenths: parse_scaled("2", 1),
            vetoes: vetoes(),
            product_cap: parse_scaled("200000", 2),
            service_share: Ratio::decimal("0.5"),
            reference_rate: Ratio::decimal("0.0300"),
            term_months: 36,
            outside_weight: Ratio::decimal("1.0"),
            guarantee_weight: Ratio::decimal("0.5"),
            step: parse_scaled("1000", 2),
            minimum: parse_scaled("5000", 2),
            hold: parse_scaled("3000", 2),
            optional_caps: BTreeSet::new(),
            star_discount_bp: 10,
            sizes: sizes(),
            count_tolerance: Ratio::decimal("0.05"),
            coverage_targets: coverage_targets(),
            officers: officers(),
            villages: villages(),
            honoured_max: 10,
            notice_days: 5,
            work_funds: work_funds(),
            service_rates: service_rates(),
            work_list: work_list(),
            cell_min: 3,
        }
    }
}

fn grade(
    name: &'static str,
    at_least: &str,
    cap: &str,
    income_multiple: &str,
    net_asset_ratio: &str,
    spread_bp: i128,
) -> Grade {
    Grade {
        name,
        at_least_tenths: parse_scaled(at_least, 1),
        cap: parse_scaled(cap, 2),
        income_multiple: Ratio::decimal(income_multiple),
        net_asset_ratio: Ratio::decimal(net_asset_ratio),
        spread_bp,
    }
}

fn sizes() -> Vec<(&'static str, i128, i128)> {
    vec![
        ("village", 100, 500),
        ("community", 200, 500),
        ("business_district", 100, 500),
        ("industrial_park", 10, 500),
        ("campus", 1, 500),
    ]
}

/// The columns of the rulebook's table: resident, business, rural.
fn coverage_targets() -> Vec<Targets> {
    let rows = [["0.40", "0.50", "0.70"], ["0.70", "0.80", "0.90"], ["1.00", "1.00", "1.00"]];
    let rows = rows.map(|row| row.map(Ratio::decimal)).into_iter();
    rows.map(|[resident, business, rural]| Targets { rural, resident, business }).collect()
}

fn officers() -> OfficerPolicy {
    let ratings = [("excellent", "90"), ("good", "80"), ("qualified", "60"), ("unqualified", "0")];
    OfficerPolicy {
        households_visited: parse_scaled("20", 1),
        care_households_visited: parse_scaled("10", 1),
        grids_patrolled: parse_scaled("10", 1),
        profiles_fresh: parse_scaled("30", 1),
        visits_valid: parse_scaled("20", 1),
        issues_resolved: parse_scaled("10", 1),
        ratings: ratings.map(|(rating, at_least)| (rating, parse_scaled(at_least, 1))).to_vec(),
        onsite_min: 10,
        invalid_share_max: Ratio::decimal("0.30"),
    }
}

fn villages() -> VillagePolicy {
    VillagePolicy {
        credit_grades: vec!["AAA", "AA", "A"],
        prompt_days: 30,
        households_min: 20,
        stars: vec![stars("0.50", "0.90", "0.03"), stars("0.70", "0.90", "0.03"), stars("0.80", "0.95", "0.01")],
        township_share: Ratio::decimal("0.50"),
        county_share: Ratio::decimal("0.60"),
    }
}

fn stars(credit_share_min: &str, prompt_share_min: &str, bad_share_max: &str) -> StarThresholds {
    StarThresholds {
        credit_share_min: Ratio::decimal(credit_share_min),
        prompt_share_min: Ratio::decimal(prompt_share_min),
        bad_share_max: Ratio::decimal(bad_share_max),
    }
}

/// By households of the area: up to 5,000, below 10,000, from 10,000.
fn work_funds() -> Vec<(Bound, i128)> {
    vec![
        (Bound::AtMost(Ratio::decimal("5000")), parse_scaled("20000", 2)),
        (Bound::AtMost(Ratio::decimal("9999")), parse_scaled("30000", 2)),
        (Bound::Otherwise, parse_scaled("40000", 2)),
    ]
}

fn service_rates() -> Vec<(&'static str, i128)> {
    let rates = [("autonomous", "100"), ("unit", "50"), ("property_managed", "60"), ("dispersed", "70")];
    rates.map(|(settlement, rate)| (settlement, parse_scaled(rate, 2))).to_vec()
}

fn work_list() -> WorkListPolicy {
    WorkListPolicy {
        filing_days: 90,
        visit_months: 12,
        care_visit_months: 3,
        expiry_notice_days: 60,
        urgent_issue_days: 1,
        repeat_visit_days: 14,
    }
}

fn vetoes() -> Vec<Veto> {
    use Condition::{Above, AtLeast, Watchlist};
    let veto = |code, condition, is_overridable| Veto { code, condition, is_overridable };
    vec![
        veto("V01_dishonest_judgment", Watchlist("dishonest_judgment"), false),
        veto("V02_fraud", Watchlist("fraud"), false),
        veto("V03_deceased", Watchlist("deceased"), false),
        veto("V04_past_due_90", Above("days_past_due_now", 90), false),
        veto("V05_bad_class_12m", AtLeast("risk_class_worst_12m", 2), true),
        veto("V06_conduct", AtLeast("conduct_vetoes_12m", 1), true),
        veto("V07_peers", AtLeast("peer_vetoes", 2), true),
    ]
}

/// One row of a scorecard's table; `bins` as the rulebook prints them: bound, points, `·` between.
fn row(fact: &'static str, block: &'static str, bins: &str, missing: &str) -> Characteristic {
    Characteristic {
        fact,
        block,
        bins: bins.split('·').map(read_bin).collect(),
        missing_tenths: parse_scaled(missing, 1),
    }
}

fn read_bin(text: &str) -> Bin {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (bound, points) = match words[..] {
        ["≥", bound, points] => (Bound::AtLeast(Ratio::decimal(bound)), points),
        ["≤", bound, points] => (Bound::AtMost(Ratio::decimal(bound)), points),
        ["else", points] => (Bound::Otherwise, points),
        _ => panic!("`{text}` is not a bin"),
    };
    Bin { bound, points_tenths: parse_scaled(points, 1) }
}

#[rustfmt::skip] // One line a row, as in the rulebook's table.
fn farm_household() -> Scorecard {
    Scorecard {
        id: "farm_household",
        kinds: vec!["farm_household", "large_grower", "family_farm", "cooperative", "leading_enterprise"],
        characteristics: vec![
            row("on_time_share_24m", "character", "≥ 0.98 15 · ≥ 0.90 11 · ≥ 0.75 6 · else 0", "9"),
            row("delay_days_max_24m", "character", "≤ 0 8 · ≤ 30 5 · ≤ 90 2 · else 0", "5"),
            row("outside_overdue_count_24m", "character", "≤ 0 7 · ≤ 2 4 · ≤ 5 1 · else 0", "3"),
            row("conduct_points_per_member_12m", "character", "≥ 20 5 · ≥ 10 4 · ≥ 5 3 · ≥ 0 2 · else 0", "2"),
            row("peer_score", "character", "≥ 90 5 · ≥ 80 4 · ≥ 70 2 · else 0", "2"),
            row("net_income_per_member", "capacity", "≥ 60000 14 · ≥ 40000 12 · ≥ 25000 9 · ≥ 12000 5 · ≥ 0 2 · else 0", "0"),
            row("debt_service_share", "capacity", "≤ 0.20 8 · ≤ 0.35 6 · ≤ 0.50 3 · else 0", "0"),
            row("labour_share", "capacity", "≥ 0.6 4 · ≥ 0.4 3 · ≥ 0.2 1 · else 0", "0"),
            row("inflow_months_12m", "capacity", "≥ 11 4 · ≥ 8 3 · ≥ 4 1 · else 0", "0"),
            row("net_assets", "capital", "≥ 500000 10 · ≥ 300000 8 · ≥ 150000 6 · ≥ 50000 3 · else 0", "0"),
            row("debt_to_assets", "capital", "≤ 0.2 5 · ≤ 0.4 3.5 · ≤ 0.6 1.5 · else 0", "0"),
            row("profile_age_days", "file", "≤ 180 4 · ≤ 365 3 · ≤ 730 1 · else 0", "0"),
            row("valid_visits_12m", "file", "≥ 2 3 · ≥ 1 2 · else 0", "0"),
            row("deposit_average_12m", "relationship", "≥ 50000 4 · ≥ 20000 3 · ≥ 5000 2 · ≥ 0.01 0.5 · else 0", "0"),
            row("relationship_months", "relationship", "≥ 60 2 · ≥ 24 1.5 · ≥ 6 0.5 · else 0", "0"),
            row("channel_count", "relationship", "≥ 3 2 · ≥ 2 1.5 · ≥ 1 0.5 · else 0", "0"),
        ],
    }
}

#[rustfmt::skip]
fn resident() -> Scorecard {
    let changed = [
        row("labour_share", "capacity", "≥ 0.6 2 · ≥ 0.4 1.5 · ≥ 0.2 0.5 · else 0", "0"),
        row("inflow_months_12m", "capacity", "≥ 11 6 · ≥ 8 4 · ≥ 4 1.5 · else 0", "0"),
    ];
    Scorecard {
        id: "resident",
        kinds: vec!["resident"],
        characteristics: as_farm_household(&[], &changed),
    }
}

#[rustfmt::skip]
fn business() -> Scorecard {
    let changed = [
        row("inflow_months_12m", "capacity", "≥ 11 8 · ≥ 8 6 · ≥ 4 2 · else 0", "0"),
        row("conduct_points_per_member_12m", "character", "≥ 20 3 · ≥ 10 2 · ≥ 5 1.5 · ≥ 0 1 · else 0", "1"),
        row("outside_overdue_count_24m", "character", "≤ 0 14 · ≤ 2 8 · ≤ 5 2 · else 0", "6"),
    ];
    Scorecard {
        id: "business",
        kinds: vec!["merchant", "small_enterprise"],
        characteristics: as_farm_household(&["labour_share", "peer_score"], &changed),
    }
}

/// The farm card's rows in its order, without those `left_out` and with those `changed` in place.
fn as_farm_household(left_out: &[&str], changed: &[Characteristic]) -> Vec<Characteristic> {
    farm_household()
        .characteristics
        .into_iter()
        .filter(|row| !left_out.contains(&row.fact))
        .map(|row| {
            let other = changed.iter().find(|other| other.fact == row.fact);
            other.cloned().unwrap_or(row)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_sum(card: &Scorecard, block: &str) -> i128 {
        card.characteristics.iter().filter(|row| row.block == block).map(Characteristic::maximum_tenths).sum()
    }

    #[test]
    fn every_card_sums_to_100_in_the_signed_blocks() {
        for card in &Policy::default().scorecards {
            let blocks = ["character", "capacity", "capital", "file", "relationship"];
            let sums = blocks.map(|block| block_sum(card, block));
            assert_eq!(sums, [400, 300, 150, 70, 80], "{}", card.id);
        }
    }

    #[test]
    fn missing_never_reaches_the_best_bin() {
        for card in &Policy::default().scorecards {
            for row in &card.characteristics {
                assert!(row.missing_tenths < row.maximum_tenths(), "{}", row.fact);
            }
        }
    }

    #[test]
    fn bounds_include_the_value_itself() {
        let at_least = Bound::AtLeast(Ratio::decimal("0.98"));
        assert!(at_least.matches(Ratio::new(49, 50)));
        assert!(!at_least.matches(Ratio::new(48, 49)));
        let at_most = Bound::AtMost(Ratio::decimal("0.2"));
        assert!(at_most.matches(Ratio::new(1, 5)));
        assert!(!at_most.matches(Ratio::new(2_001, 10_000)));
    }

    #[test]
    fn grades_are_ordered_from_best_to_not_rateable() {
        let policy = Policy::default();
        let order = ["AAA", "AA", "A", "B", "C", "D", "NR"];
        assert_eq!(order.map(|name| policy.rank(name)), [0, 1, 2, 3, 4, 5, 6]);
        assert!(policy.grade("D").is_none());
    }
}
