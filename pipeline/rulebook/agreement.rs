//! What must agree between policies: the grades of the limits and of the credit villages are those of the scale, and
//! every household kind has exactly one scorecard. Checked for the as-of date and for every later day on which one of
//! these policies changes, so that a rule signed for next year fails today and not on its first night.
//! Leaves what must agree inside one policy to its own reader.

use super::credit_villages::CreditVillageRules;
use super::findings::Findings;
use super::grade_scale::GradeScale;
use super::limits::LimitRules;
use super::scorecards::Scorecard;
use super::versions::Policy;
use super::words::HOUSEHOLD_KINDS;
use crate::calendar::Date;
use crate::fault::Fault;
use std::collections::BTreeSet;

/// The policies that are compared; None where a file could not be read at all.
pub(super) struct Compared<'a> {
    pub(super) scale: Option<&'a Policy<GradeScale>>,
    pub(super) limits: Option<&'a Policy<LimitRules>>,
    pub(super) villages: Option<&'a Policy<CreditVillageRules>>,
    /// Empty when a card could not be read: its kinds would look forgotten.
    pub(super) cards: &'a [&'a Policy<Scorecard>],
    /// The folder of the cards as the bank wrote it.
    pub(super) cards_shown: &'a str,
}

impl Compared<'_> {
    pub(super) fn check(&self, as_of: Date, findings: &Findings) {
        for date in self.dates(as_of) {
            if let Some(scale) = self.scale.and_then(|scale| scale.in_force(date)) {
                self.check_limits(&scale.values, date, findings);
                self.check_credit_grades(&scale.values, date, findings);
            }
            self.check_kinds(date, findings);
        }
    }

    fn dates(&self, as_of: Date) -> BTreeSet<Date> {
        let mut dates = BTreeSet::from([as_of]);
        dates.extend(self.scale.into_iter().flat_map(|policy| policy.begins_after(as_of)));
        dates.extend(self.limits.into_iter().flat_map(|policy| policy.begins_after(as_of)));
        dates.extend(self.villages.into_iter().flat_map(|policy| policy.begins_after(as_of)));
        dates.extend(self.cards.iter().flat_map(|policy| policy.begins_after(as_of)));
        dates
    }

    fn check_limits(&self, scale: &GradeScale, date: Date, findings: &Findings) {
        let Some((limits, version)) = self.limits.and_then(|limits| Some((limits, limits.in_force(date)?))) else {
            return;
        };
        let wanted: Vec<&str> = scale.grades.iter().map(|grade| grade.grade.as_str()).collect();
        let found: Vec<&str> = version.values.grades.iter().map(|grade| grade.grade.as_str()).collect();
        let hint = format!("the grades of the scale in force on {date} are, best first, {}", wanted.join(", "));
        let fault = |sentence: String| findings.at(&limits.shown, version.line, &sentence, &hint);
        for grade in wanted.iter().filter(|grade| !found.contains(grade)) {
            fault(format!("the grade `{grade}` of the grade scale has no limits"));
        }
        for grade in found.iter().filter(|grade| !wanted.contains(grade)) {
            fault(format!("there are limits for `{grade}`, which the grade scale does not give"));
        }
        let common: Vec<&&str> = wanted.iter().filter(|grade| found.contains(grade)).collect();
        if !found.iter().filter(|grade| wanted.contains(grade)).eq(common) {
            fault("the grades do not stand in the order of the grade scale".to_owned());
        }
    }

    fn check_credit_grades(&self, scale: &GradeScale, date: Date, findings: &Findings) {
        let Some((villages, version)) = self.villages.and_then(|policy| Some((policy, policy.in_force(date)?))) else {
            return;
        };
        for grade in &version.values.credit_grades {
            if scale.grades.iter().all(|other| other.grade != *grade) {
                let hint = format!("name grades of the scale in force on {date}, or change both on one day");
                let sentence = format!("the credit grade `{grade}` is not in the grade scale");
                findings.at(&villages.shown, version.line, &sentence, &hint);
            }
        }
    }

    fn check_kinds(&self, date: Date, findings: &Findings) {
        let cards: Vec<_> = self.cards.iter().filter_map(|card| Some((*card, card.in_force(date)?))).collect();
        if cards.is_empty() {
            return;
        }
        for kind in HOUSEHOLD_KINDS {
            let mut with_kind =
                cards.iter().filter(|(_, version)| version.values.kinds.iter().any(|other| other == kind));
            let Some((first, _)) = with_kind.next() else {
                let fault = Fault::new(format!(
                    "`{}`: the household kind `{kind}` is in no scorecard on {date}",
                    self.cards_shown
                ));
                findings.add(self.cards_shown, 0, fault.hint("add the kind to `kinds` of one card"));
                continue;
            };
            for (card, version) in with_kind {
                let sentence = format!("the household kind `{kind}` is already in `{}` on {date}", first.shown);
                findings.at(&card.shown, version.line, &sentence, "leave the kind in one card only");
            }
        }
    }
}
