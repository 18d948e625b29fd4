//! What an earlier published run says that tonight's rules look back at: each household's grade and suggested
//! limit, and each area's stars. The files are opened by `read`; here is only their meaning.

use std::collections::BTreeMap;

/// An earlier run, or the absence of one.
#[derive(Clone, Debug, Default)]
pub struct Previous {
    /// The run's id; None when there is no earlier run.
    pub run_id: Option<String>,
    /// In the byte order of household_id, as they were published.
    pub households: Vec<PreviousHousehold>,
    /// Stars by area_id.
    pub stars: BTreeMap<String, i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousHousehold {
    pub household_id: String,
    pub model_grade: String,
    /// In the smallest unit.
    pub suggested_limit: i64,
}
