//! The causes of a changed fact of one household: the way from the one run's value to the other's, in steps of which
//! each has one cause. What counts is the effect of a value: a profile that only grew a month older within the same bin
//! has moved nothing.

use crate::facts::FactValue;
use crate::rulebook::{FACTS, Rulebook};

use super::causes::{Cause, Causes};
use super::meanwhile::Meanwhile;
use super::origins::{FactOrigin, Possible};
use super::side::{Side, text, whole};

/// One household in both runs, and between them where that was computed.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    pub from: usize,
    pub to: usize,
    pub before: Option<usize>,
    pub after: Option<usize>,
}

/// Everything that the causes of a household are worked out from.
pub struct Evidence<'a> {
    pub from: &'a Side,
    pub to: &'a Side,
    pub possible: &'a Possible,
    pub rulebook: &'a Rulebook,
    /// Whether the rulebook is the one by which the later run was made.
    pub is_rulebook_exact: bool,
    pub meanwhile: Option<&'a Meanwhile>,
}

/// Whether two values of a fact have the same effect.
type Same<'a> = dyn Fn(Option<FactValue>, Option<FactValue>) -> bool + 'a;

/// Two values that are the same have the same effect; without the rules no more can be said.
pub fn by_value(one: Option<FactValue>, other: Option<FactValue>) -> bool {
    one == other
}

/// The place of a fact in `FACTS`.
pub fn place_of(fact: &str) -> Option<usize> {
    FACTS.iter().position(|known| known.name == fact)
}

impl Evidence<'_> {
    /// The fact's value in the one run and in the other.
    pub fn values(&self, place: usize, pair: Pair) -> (Option<FactValue>, Option<FactValue>) {
        (self.from.households.fact(place, pair.from), self.to.households.fact(place, pair.to))
    }

    /// Why the effect of a fact changed; no cause where it is the same.
    pub fn path(&self, place: usize, pair: Pair, same: &Same) -> Causes {
        let (first, last) = self.values(place, pair);
        let (Some(origin), false) = (self.possible.facts.get(place), same(first, last)) else {
            return Causes::default();
        };
        if self.possible.is_as_of_equal {
            return self.written(origin);
        }
        let Some(meanwhile) = self.meanwhile else {
            return without_meanwhile(origin);
        };
        let mut causes = Causes::default();
        let before = pair.before.map(|row| meanwhile.before.fact(place, row));
        if before.is_none_or(|before| !same(first, before)) {
            causes = causes.and(self.written(origin));
        }
        let Some(after) = pair.after.map(|row| meanwhile.after.fact(place, row)) else {
            return causes.with(Cause::Input, true);
        };
        if before.is_some_and(|before| !same(before, after)) {
            causes.add(Cause::Time);
        }
        causes.with(Cause::Input, !same(after, last))
    }

    /// The causes that a value on one and the same day can have changed by.
    fn written(&self, origin: &FactOrigin) -> Causes {
        let causes = Causes::default().with(Cause::Input, origin.files_differ).with(Cause::Rule, origin.rule_differs);
        match causes.is_empty() {
            true if self.possible.causes.has(Cause::Rule) => Cause::Rule.into(),
            true => Cause::Input.into(),
            false => causes,
        }
    }

    /// Why the household is of another kind.
    pub fn kind(&self) -> Causes {
        match self.possible.is_as_of_equal {
            true => self.written(&self.possible.households),
            false => Cause::Input.into(),
        }
    }

    /// Why the household came to stand on a watchlist, or stands on it no longer.
    pub fn watchlist(&self, list: u8, was: bool, is: bool, pair: Pair) -> Causes {
        let origin = &self.possible.watchlist;
        if self.possible.is_as_of_equal {
            return self.written(origin);
        }
        let Some(meanwhile) = self.meanwhile else {
            return without_meanwhile(origin);
        };
        let before = pair.before.is_some_and(|row| meanwhile.before.is_watched(row, list));
        let after = pair.after.is_some_and(|row| meanwhile.after.is_watched(row, list));
        let written = if was == before { Causes::default() } else { self.written(origin) };
        written.with(Cause::Time, before != after).with(Cause::Input, after != is)
    }

    /// The input tables behind a fact that differ. Of the register it is the household's own row that counts.
    pub fn tables(&self, place: usize, pair: Pair) -> Vec<String> {
        let (old, new) = (&self.from.households, &self.to.households);
        let is_other_row = whole(&old.members, pair.from) != whole(&new.members, pair.to)
            || text(&old.branches, pair.from) != text(&new.branches, pair.to);
        let changed = self.possible.facts.get(place).map_or(&[][..], |origin| &origin.changed_tables);
        changed.iter().filter(|table| is_other_row || *table != "households").cloned().collect()
    }
}

/// Two days, and files that are not there any more.
fn without_meanwhile(origin: &FactOrigin) -> Causes {
    let is_only_time = !origin.files_differ && !origin.something_became_known;
    let cause = if is_only_time { Cause::Time } else { Cause::InputOrTime };
    Causes::from(cause).with(Cause::Rule, origin.rule_differs)
}
