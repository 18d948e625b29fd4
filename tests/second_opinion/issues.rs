//! Issues that visits raise: which there are, where one was resolved, and which are open. How many
//! a grid has is left to `coverage`, which an officer must see to is left to `work_list`.

use super::reading::Visit;

/// A visit raises an issue when its level is not none.
pub fn is_raised(visit: &Visit) -> bool {
    visit.issue_level != "none"
}

/// The status `resolved_in_…` of an issue that was resolved by T; a resolution after T was
/// forgotten, and one without its time is none.
fn resolution(visit: &Visit) -> Option<&str> {
    let is_resolved = is_raised(visit)
        && visit.issue_resolved_at.is_some()
        && ["resolved_in_grid", "resolved_in_community", "resolved_in_township"].contains(&visit.issue_status.as_str());
    is_resolved.then_some(visit.issue_status.as_str())
}

pub fn is_resolved_in(visit: &Visit, place: &str) -> bool {
    resolution(visit).is_some_and(|status| status.strip_prefix("resolved_in_") == Some(place))
}

/// All issues that are not resolved are open.
pub fn is_open(visit: &Visit) -> bool {
    is_raised(visit) && resolution(visit).is_none()
}

pub fn is_urgent_open(visit: &Visit) -> bool {
    is_open(visit) && visit.issue_level == "urgent"
}
