//! Where each household stands in coverage (`rules.md` §7): its segment, and the counts that it is part of. A function
//! of the household's own results; adding up is left to `branch` and `areas`.

use arrow::array::Int64Array;
use rayon::prelude::*;

use crate::calendar::{Date, Window};
use crate::clean::typed::Rows as _;
use crate::facts::whole_at;
use crate::fault::{Error, Result};
use crate::in_order;
use crate::limit::credit_list::CreditList;

use super::Rated;
use super::counts::{Count, Marks, Segment};

/// Months within which a care household is visited, by the name of `care_visited_3m`.
const CARE_VISIT_MONTHS: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub segment: Segment,
    pub marks: Marks,
}

/// For each household of the run, in the order of the register.
pub fn standings(rated: &Rated) -> Result<Vec<Standing>> {
    let contract = rated.contracts.input("households")?;
    let kinds = &contract.column("kind")?.words;
    let segments: Vec<Option<Segment>> = kinds.iter().map(|kind| Segment::of_kind(kind)).collect();
    let no_care = contract.word_code("care_category", "none")?;
    let columns = Columns::of(rated)?;
    let households = &rated.tables.households;
    in_order::all((0..rated.register.len()).into_par_iter().map(|number| {
        let row = rated.register.row(number);
        let kind = households.kind.get(row).map(usize::from);
        let segment = kind.and_then(|kind| segments.get(kind).copied().flatten());
        let segment = segment.ok_or_else(|| Error::internal("a kind of household belongs to no segment"))?;
        let needs_care = households.care_category.get(row).is_some_and(|care| care != no_care);
        Ok(Standing { segment, marks: columns.marks(rated, number, needs_care) })
    }))
}

/// The facts that coverage reads, looked up once.
struct Columns<'a> {
    profile_age_days: &'a Int64Array,
    own_outstanding: &'a Int64Array,
    valid_visits_12m: &'a Int64Array,
    days_since_valid_visit: &'a Int64Array,
    care_visits: Window,
}

impl<'a> Columns<'a> {
    fn of(rated: &Rated<'a>) -> Result<Columns<'a>> {
        Ok(Columns {
            profile_age_days: rated.facts.whole("profile_age_days")?,
            own_outstanding: rated.facts.whole("own_outstanding")?,
            valid_visits_12m: rated.facts.whole("valid_visits_12m")?,
            days_since_valid_visit: rated.facts.whole("days_since_valid_visit")?,
            care_visits: Window::months_to(rated.register.as_of, CARE_VISIT_MONTHS),
        })
    }

    fn marks(&self, rated: &Rated, number: usize, needs_care: bool) -> Marks {
        let profile_age = whole_at(self.profile_age_days, number);
        let fresh_days = i64::from(rated.rulebook.fact_rules.fresh_days);
        let is_borrowing = whole_at(self.own_outstanding, number).is_some_and(|amount| amount > 0);
        let is_rated = rated.grades.get(number).is_some_and(|grade| grade.rank != rated.ranks.not_rateable());
        let outcome = rated.decided.finals.get(number);
        let is_granted = outcome.is_some_and(|outcome| {
            outcome.limit > 0 && outcome.decision.as_ref().is_some_and(|decision| decision.action.approves())
        });
        let has_account = rated.facts.has_open_account.value(number);
        let last_visit = last_visit(rated.register.as_of, whole_at(self.days_since_valid_visit, number));
        let mut marks = Marks::default();
        marks.set(Count::Households, true);
        marks.set(Count::CareHouseholds, needs_care);
        marks.set(Count::Profiled, profile_age.is_some());
        marks.set(Count::ProfiledFresh, profile_age.is_some_and(|age| age <= fresh_days));
        marks.set(Count::Graded, profile_age.is_some() && is_rated);
        marks.set(Count::White, rated.lists.get(number).is_some_and(|(list, _)| *list == CreditList::White));
        marks.set(Count::Suggested, rated.limits.get(number).is_some_and(|limit| limit.suggested > 0));
        marks.set(Count::Granted, is_granted);
        marks.set(Count::Drawn, is_granted && is_borrowing);
        marks.set(Count::Borrowing, is_borrowing);
        marks.set(Count::WithAccount, has_account);
        marks.set(Count::ActiveAccount, has_account && rated.facts.has_transactions.value(number));
        marks.set(Count::Visited12m, whole_at(self.valid_visits_12m, number).is_some_and(|visits| visits > 0));
        let is_care_visited = last_visit.is_some_and(|day| self.care_visits.contains(day));
        marks.set(Count::CareVisited3m, needs_care && is_care_visited);
        marks
    }
}

/// The day of the latest valid visit, by how long ago it was.
pub fn last_visit(as_of: Date, days_since: Option<i64>) -> Option<Date> {
    as_of.days_earlier(days_since?)
}
