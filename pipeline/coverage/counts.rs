//! The additive counts of coverage and the shares taken of them last (`rules.md` §7). Parts are kept by segment at the
//! finest level, a grid; every level above adds parts of the level below, and a share is never added to another.

use std::ops::AddAssign;

/// What is counted, in the order of the tables' columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    Households,
    CareHouseholds,
    Profiled,
    ProfiledFresh,
    Graded,
    White,
    Suggested,
    Granted,
    Drawn,
    Borrowing,
    WithAccount,
    ActiveAccount,
    Visited12m,
    CareVisited3m,
    ProfilesRequired,
}

impl Count {
    pub const ALL: [Count; 15] = [
        Count::Households,
        Count::CareHouseholds,
        Count::Profiled,
        Count::ProfiledFresh,
        Count::Graded,
        Count::White,
        Count::Suggested,
        Count::Granted,
        Count::Drawn,
        Count::Borrowing,
        Count::WithAccount,
        Count::ActiveAccount,
        Count::Visited12m,
        Count::CareVisited3m,
        Count::ProfilesRequired,
    ];

    /// The column in which it is published.
    pub fn name(self) -> &'static str {
        match self {
            Count::Households => "households",
            Count::CareHouseholds => "care_households",
            Count::Profiled => "profiled",
            Count::ProfiledFresh => "profiled_fresh",
            Count::Graded => "graded",
            Count::White => "white",
            Count::Suggested => "suggested",
            Count::Granted => "granted",
            Count::Drawn => "drawn",
            Count::Borrowing => "borrowing",
            Count::WithAccount => "with_account",
            Count::ActiveAccount => "active_account",
            Count::Visited12m => "visited_12m",
            Count::CareVisited3m => "care_visited_3m",
            Count::ProfilesRequired => "profiles_required",
        }
    }
}

/// A share that coverage publishes: its column, and the count that is part of the other.
#[derive(Clone, Copy, Debug)]
pub struct ShareOf {
    pub name: &'static str,
    pub part: Count,
    pub whole: Count,
}

/// In the order of the tables' columns.
pub const SHARES: [ShareOf; 7] = [
    ShareOf { name: "profile_share", part: Count::Profiled, whole: Count::Households },
    ShareOf { name: "fresh_share", part: Count::ProfiledFresh, whole: Count::Households },
    ShareOf { name: "grading_share", part: Count::Graded, whole: Count::Profiled },
    ShareOf { name: "granting_share", part: Count::Granted, whole: Count::Households },
    ShareOf { name: "drawing_share", part: Count::Drawn, whole: Count::Granted },
    ShareOf { name: "visiting_share", part: Count::Visited12m, whole: Count::Households },
    ShareOf { name: "care_visiting_share", part: Count::CareVisited3m, whole: Count::CareHouseholds },
];

/// Which of the counts a household stands in, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks(u16);

impl Marks {
    pub fn set(&mut self, count: Count, holds: bool) {
        if holds {
            self.0 |= 1 << count as u16;
        }
    }

    pub fn has(self, count: Count) -> bool {
        self.0 & (1 << count as u16) != 0
    }
}

/// Counts of households, one for each `Count`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([i64; Count::ALL.len()]);

impl Counts {
    pub fn get(&self, count: Count) -> i64 {
        self.0.get(count as usize).copied().unwrap_or(0)
    }

    /// Counts one household wherever its marks stand.
    pub fn add_household(&mut self, marks: Marks) {
        for (count, value) in Count::ALL.into_iter().zip(&mut self.0) {
            *value += i64::from(marks.has(count));
        }
    }

    pub fn add(&mut self, count: Count, more: i64) {
        if let Some(value) = self.0.get_mut(count as usize) {
            *value += more;
        }
    }

    /// None where nothing could be a part.
    pub fn share(&self, share: ShareOf) -> Option<f64> {
        share_of(self.get(share.part), self.get(share.whole))
    }
}

/// `part / whole` as a 64-bit float; None when the whole is 0.
pub fn share_of(part: i64, whole: i64) -> Option<f64> {
    (whole != 0).then(|| part as f64 / whole as f64)
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        for (value, more) in self.0.iter_mut().zip(other.0) {
            *value += more;
        }
    }
}

/// A part of the households, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    Rural,
    Resident,
    Business,
}

impl Segment {
    pub const ALL: [Segment; 3] = [Segment::Rural, Segment::Resident, Segment::Business];

    pub fn name(self) -> &'static str {
        match self {
            Segment::Rural => "rural",
            Segment::Resident => "resident",
            Segment::Business => "business",
        }
    }

    /// None for a word that is no kind of household.
    pub fn of_kind(kind: &str) -> Option<Segment> {
        match kind {
            "farm_household" | "large_grower" | "family_farm" | "cooperative" | "leading_enterprise" => {
                Some(Segment::Rural)
            }
            "resident" => Some(Segment::Resident),
            "merchant" | "small_enterprise" => Some(Segment::Business),
            _ => None,
        }
    }
}

/// Counts by segment: the parts that every level adds up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BySegment([Counts; 3]);

impl BySegment {
    pub fn segment(&self, segment: Segment) -> Counts {
        self.0.get(segment as usize).copied().unwrap_or_default()
    }

    pub fn segment_mut(&mut self, segment: Segment) -> &mut Counts {
        let [rural, resident, business] = &mut self.0;
        match segment {
            Segment::Rural => rural,
            Segment::Resident => resident,
            Segment::Business => business,
        }
    }

    pub fn all(&self) -> Counts {
        let mut all = Counts::default();
        self.0.iter().for_each(|&counts| all += counts);
        all
    }

    /// Profiles missing in a segment: a surplus of profiles in one does not make up for a gap in another.
    pub fn profile_gap(&self, segment: Segment) -> i64 {
        let counts = self.segment(segment);
        (counts.get(Count::ProfilesRequired) - counts.get(Count::Profiled)).max(0)
    }

    pub fn profile_gap_of_all(&self) -> i64 {
        Segment::ALL.into_iter().map(|segment| self.profile_gap(segment)).sum()
    }
}

impl AddAssign for BySegment {
    fn add_assign(&mut self, other: BySegment) {
        for (counts, more) in self.0.iter_mut().zip(other.0) {
            *counts += more;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_count_where_they_stand() {
        let mut marks = Marks::default();
        marks.set(Count::Households, true);
        marks.set(Count::Profiled, true);
        marks.set(Count::Graded, false);
        let mut counts = Counts::default();
        counts.add_household(marks);
        counts.add_household(marks);
        assert_eq!((counts.get(Count::Households), counts.get(Count::Profiled), counts.get(Count::Graded)), (2, 2, 0));
    }

    #[test]
    fn a_surplus_of_one_segment_does_not_fill_the_gap_of_another() {
        let mut parts = BySegment::default();
        parts.segment_mut(Segment::Rural).add(Count::ProfilesRequired, 7);
        parts.segment_mut(Segment::Rural).add(Count::Profiled, 4);
        parts.segment_mut(Segment::Resident).add(Count::ProfilesRequired, 2);
        parts.segment_mut(Segment::Resident).add(Count::Profiled, 9);
        assert_eq!((parts.profile_gap(Segment::Rural), parts.profile_gap(Segment::Resident)), (3, 0));
        assert_eq!(parts.profile_gap_of_all(), 3);
        assert_eq!(parts.all().get(Count::Profiled), 13);
    }

    #[test]
    fn a_share_of_nothing_is_null() {
        assert_eq!(share_of(0, 0), None);
        assert_eq!(share_of(1, 4), Some(0.25));
    }
}
