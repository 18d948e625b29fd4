//! What puts a household on an officer's work list, and how long there is to do it.

use super::table::Table;

/// Most months back for which visits are looked at (`rules.md` §3): a longer silence cannot be told from a shorter one.
const MONTHS_MAX: u32 = 24;

/// The thresholds of the work list. Days are calendar days, months calendar months.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkListRules {
    /// From a household's first day in its grid to the day by which it is to be filed.
    pub filing_days: u32,
    /// Most months between two valid visits to a household.
    pub visit_months: u32,
    /// The same for care households.
    pub care_visit_months: u32,
    /// How long before its last day the end of a profile is announced.
    pub expiry_notice_days: u32,
    /// From the visit that found an urgent issue to the day by which it is to be settled.
    pub urgent_issue_days: u32,
    /// From a visit that did not count to the day by which it is to be made again.
    pub repeat_visit_days: u32,
}

pub(super) fn read(version: &Table<'_>) -> Option<WorkListRules> {
    let filing_days = version.count("filing_days");
    let visit_months = read_months(version, "visit_months");
    let care_visit_months = read_months(version, "care_visit_months");
    let expiry_notice_days = version.count("expiry_notice_days");
    let urgent_issue_days = version.count("urgent_issue_days");
    let repeat_visit_days = version.count("repeat_visit_days");
    Some(WorkListRules {
        filing_days: filing_days?,
        visit_months: visit_months?,
        care_visit_months: care_visit_months?,
        expiry_notice_days: expiry_notice_days?,
        urgent_issue_days: urgent_issue_days?,
        repeat_visit_days: repeat_visit_days?,
    })
}

fn read_months(version: &Table<'_>, key: &str) -> Option<u32> {
    let months = version.positive_count(key)?;
    if months > MONTHS_MAX {
        let sentence = format!("`{key}` looks back for more than {MONTHS_MAX} months");
        version.fault(
            key,
            &sentence,
            &format!("visits are looked at for {MONTHS_MAX} months; write 1 to {MONTHS_MAX}"),
        );
        return None;
    }
    Some(months)
}
