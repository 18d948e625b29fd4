//! Areas of every level as sums of their sub-areas, down to the grids that lie in them (`rules.md` §7, §9). Parents are
//! always of a higher level (`clean` sets others aside), so one walk from the lowest level up adds everything once.

use std::ops::AddAssign;

use crate::clean::Tables;
use crate::clean::typed::{Areas, Rows as _};
use crate::rulebook::CreditVillageRules;

use super::branch::GridCoverage;
use super::counts::BySegment;
use super::credit::{CreditParts, is_credit_area_above};

/// What lies in an area and in the areas below it; in the order of `areas`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AreaCoverage {
    pub grids: i64,
    pub counts: BySegment,
    pub credit: CreditParts,
}

impl AddAssign for AreaCoverage {
    fn add_assign(&mut self, other: AreaCoverage) {
        self.grids += other.grids;
        self.counts += other.counts;
        self.credit += other.credit;
    }
}

/// The levels of areas, as codes in the order of their contract: highest first.
#[derive(Clone, Copy, Debug)]
pub struct Levels {
    pub county: u8,
    pub township: u8,
}

impl Levels {
    /// Whether grids lie in areas of this level: villages and communities.
    pub fn has_grids(self, level: u8) -> bool {
        level > self.township
    }
}

/// Adds grids up to every area.
pub fn add_up<'g>(tables: &Tables, grids: impl Iterator<Item = &'g GridCoverage>) -> Vec<AreaCoverage> {
    let mut areas = vec![AreaCoverage::default(); tables.areas.rows];
    for grid in grids {
        if let Some(area) = tables.grids.area_id.get(grid.grid).and_then(|area| areas.get_mut(area)) {
            *area += AreaCoverage { grids: 1, counts: grid.counts, credit: grid.credit };
        }
    }
    for area in lowest_first(&tables.areas) {
        let own = areas.get(area).copied().unwrap_or_default();
        if let Some(parent) = tables.areas.parent_area_id.get(area).and_then(|parent| areas.get_mut(parent)) {
            *parent += own;
        }
    }
    areas
}

/// Every area before its parent: an area's parent is always of a higher level.
pub fn lowest_first(areas: &Areas) -> Vec<usize> {
    let mut lowest_first: Vec<usize> = (0..areas.rows).collect();
    lowest_first.sort_by_key(|&area| std::cmp::Reverse(areas.level.get(area)));
    lowest_first
}

/// The credit rating of one area with households; key area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreditRating {
    /// Position in `areas`.
    pub area: usize,
    pub parts: CreditParts,
    /// Credit areas right below a township or county.
    pub starred_below: Option<i64>,
    /// Of a village or community.
    pub stars: Option<i64>,
    pub is_credit_area: bool,
}

/// Rates villages and communities by stars, townships by their villages and communities, counties by their townships.
pub fn rate(tables: &Tables, areas: &[AreaCoverage], levels: Levels, rules: &CreditVillageRules) -> Vec<CreditRating> {
    let level = |area: usize| tables.areas.level.get(area).unwrap_or_default();
    let mut below = vec![Below::default(); areas.len()];
    let mut ratings = Vec::new();
    let mut lowest_first: Vec<usize> = (0..areas.len()).collect();
    lowest_first.sort_by_key(|&area| std::cmp::Reverse(level(area)));
    for area in lowest_first {
        let Some(parts) = areas.get(area).map(|area| area.credit) else { continue };
        let own = level(area);
        let lower = below.get(area).copied().unwrap_or_default();
        let (starred_below, stars, is_credit_area) = if levels.has_grids(own) {
            let stars = parts.stars(rules);
            (None, Some(stars), stars >= 1)
        } else {
            let share_min = if own == levels.county { rules.county_share } else { rules.township_share };
            (Some(lower.starred), None, is_credit_area_above(lower.starred, lower.areas, share_min))
        };
        let is_rated = parts.households > 0;
        let parent = tables.areas.parent_area_id.get(area);
        if let Some(parent) = parent.filter(|&parent| levels.counts_below(level(parent), own))
            && let Some(above) = below.get_mut(parent)
        {
            above.areas += 1;
            above.starred += i64::from(is_rated && is_credit_area);
        }
        if is_rated {
            ratings.push(CreditRating { area, parts, starred_below, stars, is_credit_area });
        }
    }
    ratings
}

/// The sub-areas that a township or county is rated by, with or without households.
#[derive(Clone, Copy, Debug, Default)]
struct Below {
    areas: i64,
    starred: i64,
}

impl Levels {
    /// A township is rated by its villages and communities, a county by its townships.
    fn counts_below(self, level: u8, lower: u8) -> bool {
        match level {
            level if level == self.county => lower == self.township,
            level if level == self.township => self.has_grids(lower),
            _ => false,
        }
    }
}
