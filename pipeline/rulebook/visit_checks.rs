//! The figures of the visit checks: how short, far, fast or late a visit may be, and the hours of an ordinary day.

use super::table::Table;

/// `rules.md` §3; each field ends in its unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitChecks {
    pub minutes_min: u32,
    pub distance_max_m: u32,
    pub speed_max_kmh: u32,
    pub speed_distance_min_m: u32,
    pub record_hours_max: u32,
    /// Minutes since midnight; a visit that starts earlier is at odd hours.
    pub day_starts_minute: u32,
    /// Minutes since midnight; a visit that starts at this minute or later is at odd hours.
    pub day_ends_minute: u32,
}

pub(super) fn read(version: &Table<'_>) -> Option<VisitChecks> {
    let minutes_min = version.count("minutes_min");
    let distance_max_m = version.count("distance_max_m");
    let speed_max_kmh = version.count("speed_max_kmh");
    let speed_distance_min_m = version.count("speed_distance_min_m");
    let record_hours_max = version.count("record_hours_max");
    let day_starts = version.minute_of_day("day_starts");
    let day_ends = version.minute_of_day("day_ends");
    if let (Some(starts), Some(ends)) = (day_starts, day_ends)
        && starts >= ends
    {
        let hint = "day_starts must be earlier than day_ends";
        version.fault("day_starts", "the day does not start before it ends, so every visit is at odd hours", hint);
    }
    Some(VisitChecks {
        minutes_min: minutes_min?,
        distance_max_m: distance_max_m?,
        speed_max_kmh: speed_max_kmh?,
        speed_distance_min_m: speed_distance_min_m?,
        record_hours_max: record_hours_max?,
        day_starts_minute: day_starts?,
        day_ends_minute: day_ends?,
    })
}
