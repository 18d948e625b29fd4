//! How far each household lives from the nearest open service point: exact great-circle metres, found with a spatial
//! index over the points on the unit sphere, where the nearest by chord is the nearest by arc.

use rayon::prelude::*;
use rstar::RTree;

use crate::clean::typed::Rows as _;
use crate::coverage::Rated;
use crate::visits::{Position, distance_m};

use super::base::places::is_open;

/// The column of base table `households` that holds the distance.
pub const NEAREST_POINT: &str = "nearest_point_m";

/// A point of the index: where it stands on the unit sphere, and on earth.
#[derive(Clone, Copy, Debug)]
struct Site {
    on_sphere: [f64; 3],
    position: Position,
}

impl rstar::RTreeObject for Site {
    type Envelope = rstar::AABB<[f64; 3]>;

    fn envelope(&self) -> Self::Envelope {
        rstar::AABB::from_point(self.on_sphere)
    }
}

impl rstar::PointDistance for Site {
    fn distance_2(&self, point: &[f64; 3]) -> f64 {
        let [x, y, z] = self.on_sphere;
        let [px, py, pz] = *point;
        (x - px) * (x - px) + (y - py) * (y - py) + (z - pz) * (z - pz)
    }
}

/// Open service points with a position.
#[derive(Debug)]
pub struct NearestPoints(RTree<Site>);

impl NearestPoints {
    pub fn of(positions: Vec<Position>) -> NearestPoints {
        let sites = positions.into_iter().map(|position| Site { on_sphere: on_sphere(position), position });
        NearestPoints(RTree::bulk_load(sites.collect()))
    }

    /// Metres from a position to the nearest point; None where there is no point.
    pub fn nearest_m(&self, from: Position) -> Option<f64> {
        let site = self.0.nearest_neighbor(&on_sphere(from))?;
        Some(distance_m(from, site.position))
    }
}

/// For each household of the run; None where the bank has no service points or none of them is open and has a position.
pub fn to_nearest_point(rated: &Rated) -> Option<Vec<Option<f64>>> {
    let points = rated.tables.service_points.as_ref()?;
    let as_of = rated.register.as_of;
    let open = (0..points.rows).filter(|&row| is_open(points, row, as_of));
    let positions: Vec<Position> =
        open.filter_map(|row| Position::of(points.longitude.get(row), points.latitude.get(row))).collect();
    let nearest = NearestPoints::of(positions);
    let households = &rated.tables.households;
    let from_home = |number: usize| {
        let row = rated.register.row(number);
        nearest.nearest_m(Position::of(households.longitude.get(row), households.latitude.get(row))?)
    };
    Some((0..rated.register.len()).into_par_iter().map(from_home).collect())
}

fn on_sphere(position: Position) -> [f64; 3] {
    let (longitude, latitude) = (position.longitude.to_radians(), position.latitude.to_radians());
    let ring = libm::cos(latitude);
    [ring * libm::cos(longitude), ring * libm::sin(longitude), libm::sin(latitude)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spread over the globe, poles and the date line among them.
    fn scattered(count: usize) -> Vec<Position> {
        let mut state = 7_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut positions: Vec<Position> = (0..count)
            .map(|_| Position { longitude: next() * 360.0 - 180.0, latitude: next() * 180.0 - 90.0 })
            .collect();
        positions.extend(
            [(180.0, 0.0), (-180.0, 10.0), (0.0, 90.0), (0.0, -90.0)]
                .map(|(longitude, latitude)| Position { longitude, latitude }),
        );
        positions
    }

    #[test]
    fn the_index_finds_what_a_look_at_every_point_finds() {
        let points = scattered(500);
        let index = NearestPoints::of(points.clone());
        for from in scattered(2_000) {
            let least = points.iter().map(|&point| distance_m(from, point)).fold(f64::INFINITY, f64::min);
            let found = index.nearest_m(from).unwrap();
            assert!((found - least).abs() <= 1e-6 * least.max(1.0), "{from:?}: {found} and {least}");
        }
    }

    #[test]
    fn without_points_nothing_is_near() {
        assert_eq!(NearestPoints::of(Vec::new()).nearest_m(Position { longitude: 0.0, latitude: 0.0 }), None);
    }
}
