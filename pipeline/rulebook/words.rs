//! The closed lists of words that a policy may use: kinds, lists and caps that the program knows by name.
//! They repeat words of the input tables, so that a rulebook can be checked before any table is read; which
//! household belongs to which of them is left to the stages.

/// `households.kind`; each is in exactly one scorecard.
pub const HOUSEHOLD_KINDS: &[&str] = &[
    "farm_household",
    "resident",
    "merchant",
    "small_enterprise",
    "large_grower",
    "cooperative",
    "leading_enterprise",
    "family_farm",
];

/// `watchlist.list_name`.
pub const WATCHLISTS: &[&str] = &["dishonest_judgment", "fraud", "deceased", "other"];

/// `grids.kind`.
pub const GRID_KINDS: &[&str] = &["village", "community", "business_district", "industrial_park", "campus"];

/// `grids.settlement`.
pub const SETTLEMENTS: &[&str] = &["autonomous", "unit", "property_managed", "dispersed"];

/// Caps of a limit that need a fact, and so can be missing (`rules.md` §5).
pub const CAPS_OF_FACTS: &[&str] = &["cap_income", "cap_net_assets", "cap_service"];

/// The grade of a household that is not rateable; no scale may use it.
pub const NOT_RATEABLE: &str = "NR";
