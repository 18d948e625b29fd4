//! The input tables of a bank with their columns, in the order and with the types of `tables.md`.
//! What the columns mean and allow stands in the contracts; a generated bank is held against them by the tests.

use super::TableRows;
use super::rows::Kind::{Bool, Count, Date, Decimal, Real, Text, Time};
use super::rows::{MONEY, Rows};
use crate::fault::Result;

pub struct Tables {
    pub areas: Rows,
    pub branches: Rows,
    pub grids: Rows,
    pub officers: Rows,
    pub assignments: Rows,
    pub households: Rows,
    pub profiles: Rows,
    pub visits: Rows,
    pub accounts: Rows,
    pub account_months: Rows,
    pub loans: Rows,
    pub loan_months: Rows,
    pub instalments: Rows,
    pub outside_debts: Rows,
    pub conduct_events: Rows,
    pub peer_reviews: Rows,
    pub watchlist: Rows,
    pub service_points: Rows,
    pub decisions: Rows,
}

impl Tables {
    pub fn new() -> Self {
        Tables {
            areas: areas(),
            branches: branches(),
            grids: grids(),
            officers: officers(),
            assignments: assignments(),
            households: households(),
            profiles: profiles(),
            visits: visits(),
            accounts: accounts(),
            account_months: account_months(),
            loans: loans(),
            loan_months: loan_months(),
            instalments: instalments(),
            outside_debts: outside_debts(),
            conduct_events: conduct_events(),
            peer_reviews: peer_reviews(),
            watchlist: watchlist(),
            service_points: service_points(),
            decisions: decisions(),
        }
    }

    /// The rows of every table, none where there are none.
    pub fn finish(mut self) -> Result<Vec<TableRows>> {
        self.each().into_iter().map(Rows::finish).collect()
    }

    fn each(&mut self) -> [&mut Rows; 19] {
        [
            &mut self.areas,
            &mut self.branches,
            &mut self.grids,
            &mut self.officers,
            &mut self.assignments,
            &mut self.households,
            &mut self.profiles,
            &mut self.visits,
            &mut self.accounts,
            &mut self.account_months,
            &mut self.loans,
            &mut self.loan_months,
            &mut self.instalments,
            &mut self.outside_debts,
            &mut self.conduct_events,
            &mut self.peer_reviews,
            &mut self.watchlist,
            &mut self.service_points,
            &mut self.decisions,
        ]
    }
}

fn areas() -> Rows {
    Rows::new(
        "areas",
        &[
            ("area_id", Text),
            ("parent_area_id", Text),
            ("level", Text),
            ("name", Text),
            ("is_rural", Bool),
            ("population", Count),
            ("adult_population", Count),
            ("household_count", Count),
            ("land_km2", Decimal(12, 4)),
        ],
    )
}

fn branches() -> Rows {
    Rows::new(
        "branches",
        &[
            ("branch_id", Text),
            ("parent_branch_id", Text),
            ("level", Text),
            ("name", Text),
            ("area_id", Text),
            ("opened_on", Date),
            ("closed_on", Date),
            ("longitude", Real),
            ("latitude", Real),
        ],
    )
}

fn grids() -> Rows {
    Rows::new(
        "grids",
        &[
            ("grid_id", Text),
            ("branch_id", Text),
            ("area_id", Text),
            ("kind", Text),
            ("settlement", Text),
            ("name", Text),
            ("joined_on", Date),
            ("valid_from", Date),
            ("valid_to", Date),
        ],
    )
}

fn officers() -> Rows {
    Rows::new(
        "officers",
        &[
            ("officer_id", Text),
            ("branch_id", Text),
            ("name", Text),
            ("role", Text),
            ("employment", Text),
            ("active_from", Date),
            ("active_to", Date),
        ],
    )
}

fn assignments() -> Rows {
    Rows::new(
        "assignments",
        &[("grid_id", Text), ("officer_id", Text), ("duty", Text), ("valid_from", Date), ("valid_to", Date)],
    )
}

fn households() -> Rows {
    Rows::new(
        "households",
        &[
            ("household_id", Text),
            ("grid_id", Text),
            ("kind", Text),
            ("head_name", Text),
            ("id_number", Text),
            ("notice_consent", Bool),
            ("member_count", Count),
            ("care_category", Text),
            ("longitude", Real),
            ("latitude", Real),
            ("valid_from", Date),
            ("valid_to", Date),
        ],
    )
}

fn profiles() -> Rows {
    Rows::new(
        "profiles",
        &[
            ("profile_id", Text),
            ("household_id", Text),
            ("officer_id", Text),
            ("profiled_on", Date),
            ("recorded_at", Time),
            ("labour_count", Count),
            ("annual_income", MONEY),
            ("annual_operating_cost", MONEY),
            ("total_assets", MONEY),
            ("total_liabilities", MONEY),
            ("land_mu", Real),
            ("dwelling", Text),
            ("main_activity", Text),
            ("has_insurance", Bool),
        ],
    )
}

fn visits() -> Rows {
    Rows::new(
        "visits",
        &[
            ("visit_id", Text),
            ("officer_id", Text),
            ("grid_id", Text),
            ("household_id", Text),
            ("started_at", Time),
            ("ended_at", Time),
            ("recorded_at", Time),
            ("channel", Text),
            ("purpose", Text),
            ("longitude", Real),
            ("latitude", Real),
            ("photo_hash", Text),
            ("device_id", Text),
            ("issue_level", Text),
            ("issue_status", Text),
            ("issue_resolved_at", Time),
        ],
    )
}

fn accounts() -> Rows {
    Rows::new(
        "accounts",
        &[
            ("account_id", Text),
            ("household_id", Text),
            ("product", Text),
            ("opened_on", Date),
            ("closed_on", Date),
            ("has_mobile", Bool),
            ("has_pos", Bool),
        ],
    )
}

fn account_months() -> Rows {
    Rows::new(
        "account_months",
        &[
            ("account_id", Text),
            ("month", Date),
            ("average_balance", MONEY),
            ("closing_balance", MONEY),
            ("inflow", MONEY),
            ("outflow", MONEY),
            ("transaction_count", Count),
        ],
    )
}

fn loans() -> Rows {
    Rows::new(
        "loans",
        &[
            ("loan_id", Text),
            ("household_id", Text),
            ("branch_id", Text),
            ("borrower_kind", Text),
            ("purpose", Text),
            ("is_agricultural", Bool),
            ("guarantee", Text),
            ("credit_line", MONEY),
            ("principal", MONEY),
            ("annual_rate", Decimal(9, 6)),
            ("disbursed_on", Date),
            ("matures_on", Date),
            ("closed_on", Date),
        ],
    )
}

fn loan_months() -> Rows {
    Rows::new(
        "loan_months",
        &[
            ("loan_id", Text),
            ("month_end", Date),
            ("outstanding", MONEY),
            ("days_past_due", Count),
            ("risk_class", Text),
        ],
    )
}

fn instalments() -> Rows {
    Rows::new(
        "instalments",
        &[("loan_id", Text), ("due_on", Date), ("due_amount", MONEY), ("paid_amount", MONEY), ("paid_on", Date)],
    )
}

fn outside_debts() -> Rows {
    Rows::new(
        "outside_debts",
        &[
            ("household_id", Text),
            ("reported_on", Date),
            ("lender_count", Count),
            ("outstanding", MONEY),
            ("monthly_payment", MONEY),
            ("guarantee_outstanding", MONEY),
            ("overdue_count_24m", Count),
        ],
    )
}

fn conduct_events() -> Rows {
    Rows::new(
        "conduct_events",
        &[
            ("event_id", Text),
            ("household_id", Text),
            ("happened_on", Date),
            ("category", Text),
            ("points", Decimal(6, 1)),
            ("status", Text),
            ("status_on", Date),
            ("is_veto", Bool),
        ],
    )
}

fn peer_reviews() -> Rows {
    Rows::new(
        "peer_reviews",
        &[
            ("household_id", Text),
            ("reviewer_id", Text),
            ("reviewed_on", Date),
            ("knows_household", Bool),
            ("score", Decimal(4, 1)),
            ("is_veto", Bool),
        ],
    )
}

fn watchlist() -> Rows {
    Rows::new("watchlist", &[("household_id", Text), ("list_name", Text), ("listed_on", Date), ("delisted_on", Date)])
}

fn service_points() -> Rows {
    Rows::new(
        "service_points",
        &[
            ("point_id", Text),
            ("area_id", Text),
            ("branch_id", Text),
            ("kind", Text),
            ("opened_on", Date),
            ("closed_on", Date),
            ("last_used_on", Date),
            ("longitude", Real),
            ("latitude", Real),
            ("station_items", Count),
        ],
    )
}

fn decisions() -> Rows {
    Rows::new(
        "decisions",
        &[
            ("decision_id", Text),
            ("household_id", Text),
            ("decided_at", Time),
            ("reviewer_id", Text),
            ("approver_id", Text),
            ("action", Text),
            ("grade", Text),
            ("limit", MONEY),
            ("overrides", Text),
            ("reason", Text),
            ("expires_on", Date),
        ],
    )
}
