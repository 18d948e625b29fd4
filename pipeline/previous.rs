//! What an earlier published run says that tonight's rules look back at: each household's grade and suggested
//! limit, each area's stars, and who was under public notice. The files are opened by `read`; here is only their meaning.

use std::collections::BTreeMap;

use crate::calendar::Date;

/// An earlier run, or the absence of one.
#[derive(Clone, Debug, Default)]
pub struct Previous {
    /// The run's id; None when there is no earlier run.
    pub run_id: Option<String>,
    /// Rows that it accepted, by input table.
    pub accepted: BTreeMap<String, u64>,
    /// In the byte order of household_id, as they were published.
    pub households: Vec<PreviousHousehold>,
    /// Stars by area_id.
    pub stars: BTreeMap<String, i64>,
    /// Public notices by household_id.
    pub notices: BTreeMap<String, NoticeDays>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousHousehold {
    pub household_id: String,
    pub model_grade: String,
    /// In the smallest unit.
    pub suggested_limit: i64,
    /// The final grade, where all else that a public notice asks for held: white-listed, consenting, accepted or adjusted.
    pub noticed_grade: Option<String>,
}

/// How long a public notice stands: from its first day up to, not including, its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoticeDays {
    pub from: Date,
    pub until: Date,
}
