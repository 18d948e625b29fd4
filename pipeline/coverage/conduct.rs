//! Households ranked in their village or community by conduct points per member (`rules.md` §10). Ratios are compared
//! by their products, so that no rounding decides a rank.

use std::cmp::Ordering;

use rayon::prelude::*;

use crate::clean::typed::Rows as _;
use crate::facts::whole_at;
use crate::fault::Result;

use super::Rated;
use super::groups::Groups;

/// One household with conduct points; key household.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// Number in the register.
    pub household: usize,
    pub member_count: i64,
    /// Tenths of a point.
    pub points: i64,
    /// Place in the area, from 1; None for a household with a veto.
    pub rank: Option<i64>,
    pub is_honoured: bool,
}

/// Ranks every household with conduct points in a valid grid; in the order of the register.
pub fn rank(rated: &Rated, is_valid_grid: &[bool]) -> Result<Vec<Ranked>> {
    let points = rated.facts.whole("conduct_points_12m")?;
    let register = rated.register;
    let listed = |number: &usize| {
        is_valid_grid.get(register.grid(*number)) == Some(&true) && whole_at(points, *number).is_some()
    };
    let areas = Groups::of(rated.tables.areas.rows, || {
        (0..register.len()).filter(listed).map(|number| (register.area(number), number as u32))
    });
    let honoured_max = i64::from(rated.rulebook.conduct.honoured_max);
    let by_area = (0..rated.tables.areas.rows).into_par_iter().map(|area| {
        let mut ranked: Vec<Ranked> = areas
            .get(area)
            .iter()
            .map(|&number| Ranked {
                household: number as usize,
                member_count: rated.tables.households.member_count.get(register.row(number as usize)).unwrap_or(1),
                points: whole_at(points, number as usize).unwrap_or(0),
                rank: None,
                is_honoured: false,
            })
            .collect();
        ranked.sort_by(by_points_per_member);
        let without_veto = ranked.iter_mut().filter(|ranked| !rated.has_veto(ranked.household));
        for (rank, ranked) in (1..).zip(without_veto) {
            ranked.rank = Some(rank);
            ranked.is_honoured = rank <= honoured_max && ranked.points > 0;
        }
        ranked
    });
    let mut all: Vec<Ranked> = by_area.flatten_iter().collect();
    all.par_sort_unstable_by_key(|ranked| ranked.household);
    Ok(all)
}

/// The most points per member first; of equal ones the lower identifier, which is the lower number in the register.
fn by_points_per_member(one: &Ranked, other: &Ranked) -> Ordering {
    let crosswise = |points: i64, members: i64| i128::from(points) * i128::from(members);
    let order = crosswise(other.points, one.member_count).cmp(&crosswise(one.points, other.member_count));
    order.then(one.household.cmp(&other.household))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_points_per_member_come_first_and_equal_ones_by_number() {
        let of = |household, points, member_count| Ranked {
            household,
            member_count,
            points,
            rank: None,
            is_honoured: false,
        };
        let mut ranked = [of(0, 100, 3), of(1, -10, 1), of(2, 200, 6), of(3, 99, 1), of(4, 0, 2)];
        ranked.sort_by(by_points_per_member);
        assert_eq!(ranked.iter().map(|ranked| ranked.household).collect::<Vec<_>>(), [3, 0, 2, 4, 1]);
    }
}
