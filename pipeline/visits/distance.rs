//! Places on earth and how far they are from each other.

const EARTH_RADIUS_M: f64 = 6_371_008.8;
/// What rounding may make of a distance, in metres; some centimetres between opposite ends of the earth.
const ROUNDING_M: f64 = 1.0;

/// A place on earth, in degrees.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    pub longitude: f64,
    pub latitude: f64,
}

impl Position {
    /// None unless both are there.
    pub fn of(longitude: Option<f64>, latitude: Option<f64>) -> Option<Position> {
        longitude.zip(latitude).map(|(longitude, latitude)| Position { longitude, latitude })
    }
}

/// Great-circle distance by the haversine formula, in metres. The portable functions make it the same on every machine.
pub fn distance_m(one: Position, other: Position) -> f64 {
    let (latitude_one, latitude_other) = (one.latitude.to_radians(), other.latitude.to_radians());
    let half_latitude = libm::sin((latitude_other - latitude_one) / 2.0);
    let half_longitude = libm::sin((other.longitude - one.longitude).to_radians() / 2.0);
    let across = libm::cos(latitude_one) * libm::cos(latitude_other) * half_longitude * half_longitude;
    let chord = half_latitude * half_latitude + across;
    2.0 * EARTH_RADIUS_M * libm::asin(libm::sqrt(chord).min(1.0))
}

/// A length that the distance does not exceed, without an angle's function: of a way that keeps to a straight line on
/// a map of degrees, on which every degree of longitude is as long as at the equator.
pub fn at_most_m(one: Position, other: Position) -> f64 {
    let latitude = (other.latitude - one.latitude).to_radians();
    let longitude = (other.longitude - one.longitude).to_radians();
    EARTH_RADIUS_M * (latitude * latitude + longitude * longitude).sqrt() + ROUNDING_M
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_degree_of_latitude_is_111_195_metres() {
        let at = |longitude, latitude| Position { longitude, latitude };
        assert!((distance_m(at(113.0, 29.0), at(113.0, 30.0)) - 111_195.08).abs() < 0.01);
        assert!((distance_m(at(0.0, 0.0), at(180.0, 0.0)) - EARTH_RADIUS_M * std::f64::consts::PI).abs() < 0.01);
    }

    #[test]
    fn a_distance_is_never_more_than_its_bound() {
        let steps = [-180.0, -120.5, -0.25, -1e-9, 0.0, 1e-7, 1e-4, 0.01, 31.5, 90.0, 179.75, 180.0];
        for (longitude, latitude) in steps.iter().flat_map(|&one| steps.map(|other| (one, other / 2.0))) {
            for (east, north) in steps.iter().flat_map(|&one| steps.map(|other| (one, other / 2.0))) {
                let one = Position { longitude, latitude };
                let other = Position { longitude: east, latitude: north };
                assert!(distance_m(one, other) < at_most_m(one, other), "{one:?} to {other:?}");
            }
        }
    }
}
