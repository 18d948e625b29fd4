//! The catalogue of facts: every measured column of a household that a scorecard or a veto may name (`rules.md` §4).
//! The rulebook stands before the stage that measures them, so the one list of their names is declared here;
//! how each is computed is left to the facts stage.

use crate::decimal::Decimal;

/// What a fact is measured in; a bound of a bin or a veto must be a whole number of the same unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactKind {
    /// A whole number: events, days, months, classes.
    Count,
    /// An amount, in whole cents.
    Money,
    /// A 64-bit float from 0 to 1.
    Share,
    /// A 64-bit float.
    Real,
    /// Conduct points, in whole tenths: decimal(8,1).
    Points,
}

impl FactKind {
    /// Whether a value of this kind could equal `bound`; when not, what it must be.
    pub(super) fn check(self, bound: Decimal) -> Result<(), &'static str> {
        let (fits, wanted) = match self {
            FactKind::Count => (bound.in_units(0).is_some(), "a whole number"),
            FactKind::Money => (bound.in_units(2).is_some(), "an amount with at most two digits after the point"),
            FactKind::Share => ((Decimal::ZERO..=Decimal::from_integer(1)).contains(&bound), "a share from 0 to 1"),
            FactKind::Real => (true, "a number"),
            FactKind::Points => (bound.in_units(1).is_some(), "a number with at most one digit after the point"),
        };
        if fits { Ok(()) } else { Err(wanted) }
    }
}

/// One fact: its name, which is also its column, its kind, and how far back it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactDefinition {
    pub name: &'static str,
    pub kind: FactKind,
    /// Months before the as-of date that the fact reads; None when it tells a state or looks ahead.
    pub window_months: Option<u32>,
}

/// What a fact is measured in; a count where no fact bears the name.
pub fn kind_of(fact: &str) -> FactKind {
    find(FACTS, fact).map_or(FactKind::Count, |known| known.kind)
}

/// The facts that a rulebook may name.
pub type FactCatalogue<'a> = &'a [FactDefinition];

pub(super) fn find<'a>(facts: FactCatalogue<'a>, name: &str) -> Option<&'a FactDefinition> {
    facts.iter().find(|fact| fact.name == name)
}

const fn fact(name: &'static str, kind: FactKind, window_months: Option<u32>) -> FactDefinition {
    FactDefinition { name, kind, window_months }
}

/// Every fact, in the order of `rules.md` §4, which is the column order of `household_facts`.
pub const FACTS: FactCatalogue<'static> = {
    use FactKind::{Count, Money, Points, Real, Share};
    &[
        fact("instalments_due_24m", Count, Some(24)),
        fact("on_time_share_24m", Share, Some(24)),
        fact("delay_days_max_24m", Count, Some(24)),
        fact("own_outstanding", Money, None),
        fact("own_unsecured_outstanding", Money, None),
        fact("own_bad_outstanding", Money, None),
        fact("days_past_due_now", Count, None),
        fact("risk_class_worst_12m", Count, Some(12)),
        // The figures of a report are as old as the report, which lies in the last twelve months.
        fact("outside_outstanding", Money, Some(12)),
        fact("outside_guarantees", Money, Some(12)),
        // The report counts two years, so that is how far the count looks back.
        fact("outside_overdue_count_24m", Count, Some(24)),
        fact("outside_monthly_payment", Money, Some(12)),
        fact("net_income", Money, None),
        fact("net_income_per_member", Money, None),
        // What will be due: the twelve months lie ahead.
        fact("debt_service_12m", Money, None),
        fact("debt_service_share", Real, None),
        fact("labour_share", Share, None),
        fact("inflow_months_12m", Count, Some(12)),
        fact("net_assets", Money, None),
        fact("debt_to_assets", Real, None),
        fact("deposit_average_12m", Money, Some(12)),
        fact("relationship_months", Count, None),
        fact("channel_count", Count, None),
        fact("conduct_points_12m", Points, Some(12)),
        fact("conduct_points_per_member_12m", Real, Some(12)),
        fact("conduct_vetoes_12m", Count, Some(12)),
        fact("peer_review_count", Count, Some(24)),
        fact("peer_score", Real, Some(24)),
        fact("peer_vetoes", Count, Some(24)),
        fact("profile_age_days", Count, None),
        fact("profile_completeness", Share, None),
        fact("valid_visits_12m", Count, Some(12)),
        fact("days_since_valid_visit", Count, Some(24)),
    ]
};
