//! Which visits count (`rules.md` §3): every evaluated visit with the flags that apply to it. The evaluated visits of
//! one branch are enough to check them; branches are checked in parallel.
//! Leaves to `facts` what follows from a visit that counts, and to coverage what follows from one that does not.

mod buckets;
mod by_number;
mod checker;
pub mod distance;
mod intake;
mod listed;
mod log;
mod packed;
mod photos;
pub mod recent;
mod record;
mod store;
pub mod tallies;

use crate::clean::Tables;
use crate::contract::Contracts;
use crate::fault::Result;
use crate::in_order;
use crate::register::Register;
use crate::rulebook::VisitChecks as Rules;

pub use distance::{Position, distance_m};
pub use intake::{PreparedVisits, VisitIntake};
use listed::Listed;
pub use listed::ListedVisits;
pub use log::VisitLog;
pub use recent::RecentVisits;
pub use store::Room;
use tallies::VisitTallies;

/// Rows of a log in memory that are prepared at once.
const ROWS_AT_ONCE: usize = 1 << 16;

/// Months of visits that are evaluated: `W(24)`.
pub const EVALUATED_MONTHS: u32 = 24;

/// Why a visit is to be looked at, in the order in which flags are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    Remote,
    TooShort,
    TooFar,
    Overlapping,
    ImpossibleSpeed,
    DuplicatePhoto,
    NoPosition,
    LateRecord,
    OddHours,
    NotAssigned,
    SharedDevice,
}

impl Flag {
    pub const ALL: [Flag; 11] = [
        Flag::Remote,
        Flag::TooShort,
        Flag::TooFar,
        Flag::Overlapping,
        Flag::ImpossibleSpeed,
        Flag::DuplicatePhoto,
        Flag::NoPosition,
        Flag::LateRecord,
        Flag::OddHours,
        Flag::NotAssigned,
        Flag::SharedDevice,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Flag::Remote => "remote",
            Flag::TooShort => "too_short",
            Flag::TooFar => "too_far",
            Flag::Overlapping => "overlapping",
            Flag::ImpossibleSpeed => "impossible_speed",
            Flag::DuplicatePhoto => "duplicate_photo",
            Flag::NoPosition => "no_position",
            Flag::LateRecord => "late_record",
            Flag::OddHours => "odd_hours",
            Flag::NotAssigned => "not_assigned",
            Flag::SharedDevice => "shared_device",
        }
    }

    /// Whether a visit with the flag does not count.
    pub fn invalidates(self) -> bool {
        INVALIDATING & (1 << self as u16) != 0
    }
}

/// The flags with which a visit does not count, one bit each; they stand first.
const INVALIDATING: u16 = (1 << (Flag::DuplicatePhoto as u16 + 1)) - 1;

/// The flags of one visit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u16);

impl Flags {
    fn set(&mut self, flag: Flag, applies: bool) {
        if applies {
            self.0 |= 1 << (flag as u16);
        }
    }

    pub fn has(self, flag: Flag) -> bool {
        self.0 & (1 << (flag as u16)) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Flag> {
        let mut rest = self.0;
        // A flag's bit is its place among all. Most visits have none.
        std::iter::from_fn(move || {
            let flag = Flag::ALL.get(rest.trailing_zeros() as usize).copied();
            rest &= rest.wrapping_sub(1);
            flag
        })
    }

    /// No invalidating flag.
    pub fn is_valid(self) -> bool {
        self.0 & INVALIDATING == 0
    }

    fn bits(self) -> u16 {
        self.0
    }

    fn of_bits(bits: u16) -> Flags {
        Flags(bits)
    }
}

/// The evaluated visits after their check; grain one visit, key visit_id.
#[derive(Debug)]
pub struct VisitChecks {
    /// In the order of the log.
    flags: Vec<Flags>,
    listed: Listed,
    /// The visits of twelve months, as indicators count them.
    pub recent: RecentVisits,
}

/// Some of the evaluated visits, those of one part following those of the part before in the order of visit_id.
#[derive(Default)]
pub struct CheckedVisits {
    pub visits: ListedVisits,
    /// Numbers in the log.
    pub numbers: Vec<u32>,
    pub flags: Vec<Flags>,
}

impl CheckedVisits {
    pub fn len(&self) -> usize {
        self.visits.len()
    }

    pub fn is_empty(&self) -> bool {
        self.visits.is_empty()
    }
}

impl VisitChecks {
    /// Lets go of what indicators alone look at.
    pub fn let_go_of_recent(&mut self) {
        self.recent = RecentVisits::default();
    }

    /// How many visits were evaluated.
    pub fn len(&self) -> usize {
        self.flags.len()
    }

    pub fn is_empty(&self) -> bool {
        self.flags.is_empty()
    }

    /// The flags of a visit by its number in the log.
    pub fn flags(&self, number: u32) -> Flags {
        self.flags.get(number as usize).copied().unwrap_or_default()
    }

    /// In how many parts the visits are handed over.
    pub fn parts(&self) -> usize {
        self.listed.parts()
    }

    /// One part of the visits.
    pub fn part(&self, part: usize) -> Result<CheckedVisits> {
        let (visits, numbers) = self.listed.part(part)?;
        let numbers: Vec<u32> = numbers.collect();
        let flags = numbers.iter().map(|&number| self.flags(number)).collect();
        Ok(CheckedVisits { visits, numbers, flags })
    }
}

/// Checks every known visit of `W(24)` of a log that is in memory as a whole.
pub fn check(
    tables: &Tables,
    register: &Register,
    rules: &Rules,
    contracts: &Contracts,
) -> Result<(VisitChecks, VisitTallies)> {
    let mut log = VisitLog::begin(tables, register, rules, contracts, &Room::enough())?;
    let (intake, visits) = (log.intake(), &tables.visits);
    let starts: Vec<usize> = (0..visits.rows).step_by(ROWS_AT_ONCE).collect();
    let prepare = |part: usize| {
        let first = starts.get(part).copied().unwrap_or(visits.rows);
        intake.prepare(visits, first..visits.rows.min(first + ROWS_AT_ONCE))
    };
    in_order::make_and_take(starts.len(), rayon::current_num_threads() + 2, prepare, |_, prepared| log.take(prepared))?;
    log.check()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_flags_make_a_visit_invalid() {
        assert_eq!(Flag::ALL.into_iter().filter(|flag| flag.invalidates()).count(), 6);
    }
}
