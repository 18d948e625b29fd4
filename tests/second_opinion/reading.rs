//! Reads a folder of contract-shaped CSV files, one struct per row and table, and nothing else:
//! the rows are taken to be sound. An optional table whose file is missing is absent (`None`); a
//! required one is then empty. What is not yet known on the as-of date is left to `known`.

use std::collections::BTreeMap;
use std::path::Path;

use super::calendar::{Date, Time};
use super::exact::parse_scaled;

#[derive(Debug, Default)]
pub struct Bank {
    pub areas: Vec<Area>,
    pub branches: Vec<Branch>,
    pub grids: Vec<Grid>,
    pub officers: Vec<Officer>,
    pub assignments: Vec<Assignment>,
    pub households: Vec<Household>,
    pub profiles: Option<Vec<Profile>>,
    pub visits: Vec<Visit>,
    pub accounts: Vec<Account>,
    pub account_months: Vec<AccountMonth>,
    pub loans: Vec<Loan>,
    pub loan_months: Vec<LoanMonth>,
    pub instalments: Option<Vec<Instalment>>,
    pub outside_debts: Option<Vec<OutsideDebt>>,
    pub conduct_events: Option<Vec<ConductEvent>>,
    pub peer_reviews: Option<Vec<PeerReview>>,
    pub watchlist: Option<Vec<Listing>>,
    pub service_points: Option<Vec<ServicePoint>>,
    pub decisions: Option<Vec<Decision>>,
}

#[derive(Clone, Debug)]
pub struct Area {
    pub area_id: String,
    pub parent_area_id: Option<String>,
    pub level: String,
    pub is_rural: bool,
    pub household_count: i128,
    pub adult_population: i128,
    /// In ten-thousandths.
    pub land_km2: Option<i128>,
}

#[derive(Clone, Debug)]
pub struct Branch {
    pub branch_id: String,
    pub area_id: String,
    pub opened_on: Date,
    pub closed_on: Option<Date>,
}

#[derive(Clone, Debug)]
pub struct Grid {
    pub grid_id: String,
    pub branch_id: String,
    pub area_id: String,
    pub kind: String,
    pub settlement: Option<String>,
    pub joined_on: Date,
    pub valid_from: Date,
    pub valid_to: Option<Date>,
}

#[derive(Clone, Debug)]
pub struct Officer {
    pub officer_id: String,
    pub branch_id: String,
    pub active_from: Date,
    pub active_to: Option<Date>,
}

#[derive(Clone, Debug)]
pub struct Assignment {
    pub grid_id: String,
    pub officer_id: String,
    pub duty: String,
    pub valid_from: Date,
    pub valid_to: Option<Date>,
}

#[derive(Clone, Debug)]
pub struct Household {
    pub household_id: String,
    pub grid_id: String,
    pub kind: String,
    pub head_name: String,
    pub notice_consent: Option<bool>,
    pub member_count: i128,
    pub care_category: String,
    pub position: Option<Position>,
    pub valid_from: Date,
    pub valid_to: Option<Date>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    pub longitude: f64,
    pub latitude: f64,
}

#[derive(Clone, Debug)]
pub struct Profile {
    pub profile_id: String,
    pub household_id: String,
    pub profiled_on: Date,
    pub recorded_at: Time,
    pub labour_count: Option<i128>,
    pub annual_income: Option<i128>,
    pub annual_operating_cost: Option<i128>,
    pub total_assets: Option<i128>,
    pub total_liabilities: Option<i128>,
    /// How many of the nine fields that completeness counts are filled.
    pub filled_fields: i128,
}

#[derive(Clone, Debug)]
pub struct Visit {
    pub visit_id: String,
    pub officer_id: String,
    pub grid_id: String,
    pub household_id: Option<String>,
    pub started_at: Time,
    pub ended_at: Time,
    pub recorded_at: Time,
    pub channel: String,
    pub position: Option<Position>,
    pub photo_hash: Option<String>,
    pub device_id: Option<String>,
    pub issue_level: String,
    pub issue_status: String,
    pub issue_resolved_at: Option<Time>,
}

#[derive(Clone, Debug)]
pub struct Account {
    pub account_id: String,
    pub household_id: String,
    pub product: String,
    pub opened_on: Date,
    pub closed_on: Option<Date>,
    pub has_mobile: bool,
    pub has_pos: bool,
}

#[derive(Clone, Debug)]
pub struct AccountMonth {
    pub account_id: String,
    pub month: Date,
    pub average_balance: i128,
    pub inflow: i128,
    pub transaction_count: i128,
}

#[derive(Clone, Debug)]
pub struct Loan {
    pub loan_id: String,
    pub household_id: Option<String>,
    pub branch_id: String,
    pub borrower_kind: String,
    pub is_agricultural: bool,
    pub guarantee: String,
    pub credit_line: i128,
    pub principal: i128,
    pub annual_rate_millionths: i128,
    pub disbursed_on: Date,
    pub closed_on: Option<Date>,
}

#[derive(Clone, Debug)]
pub struct LoanMonth {
    pub loan_id: String,
    pub month_end: Date,
    pub outstanding: i128,
    pub days_past_due: i128,
    /// normal 0, special_mention 1, substandard 2, doubtful 3, loss 4
    pub risk_class: i128,
}

#[derive(Clone, Debug)]
pub struct Instalment {
    pub loan_id: String,
    pub due_on: Date,
    pub due_amount: i128,
    pub paid_on: Option<Date>,
}

#[derive(Clone, Debug)]
pub struct OutsideDebt {
    pub household_id: String,
    pub reported_on: Date,
    pub outstanding: i128,
    pub monthly_payment: i128,
    pub guarantee_outstanding: i128,
    pub overdue_count_24m: i128,
}

#[derive(Clone, Debug)]
pub struct ConductEvent {
    pub household_id: String,
    pub points_tenths: i128,
    pub status: String,
    pub status_on: Date,
    pub is_veto: bool,
}

#[derive(Clone, Debug)]
pub struct PeerReview {
    pub household_id: String,
    pub reviewer_id: String,
    pub reviewed_on: Date,
    pub knows_household: bool,
    pub score_tenths: Option<i128>,
    pub is_veto: bool,
}

/// A row of the watchlist.
#[derive(Clone, Debug)]
pub struct Listing {
    pub household_id: String,
    pub list_name: String,
    pub listed_on: Date,
    pub delisted_on: Option<Date>,
}

#[derive(Clone, Debug)]
pub struct ServicePoint {
    pub area_id: String,
    pub branch_id: String,
    pub kind: String,
    pub opened_on: Date,
    pub closed_on: Option<Date>,
    pub last_used_on: Option<Date>,
    pub position: Option<Position>,
    pub station_items: Option<i128>,
}

#[derive(Clone, Debug)]
pub struct Decision {
    pub decision_id: String,
    pub household_id: String,
    pub decided_at: Time,
    pub reviewer_id: String,
    pub approver_id: Option<String>,
    pub action: String,
    pub grade: Option<String>,
    pub limit: Option<i128>,
    pub overrides: Option<String>,
    pub reason: Option<String>,
    pub expires_on: Option<Date>,
}

impl Bank {
    pub fn read(folder: &Path) -> Bank {
        Bank {
            areas: read_table(folder, "areas", read_area).unwrap_or_default(),
            branches: read_table(folder, "branches", read_branch).unwrap_or_default(),
            grids: read_table(folder, "grids", read_grid).unwrap_or_default(),
            officers: read_table(folder, "officers", read_officer).unwrap_or_default(),
            assignments: read_table(folder, "assignments", read_assignment).unwrap_or_default(),
            households: read_table(folder, "households", read_household).unwrap_or_default(),
            profiles: read_table(folder, "profiles", read_profile),
            visits: read_table(folder, "visits", read_visit).unwrap_or_default(),
            accounts: read_table(folder, "accounts", read_account).unwrap_or_default(),
            account_months: read_table(folder, "account_months", read_account_month).unwrap_or_default(),
            loans: read_table(folder, "loans", read_loan).unwrap_or_default(),
            loan_months: read_table(folder, "loan_months", read_loan_month).unwrap_or_default(),
            instalments: read_table(folder, "instalments", read_instalment),
            outside_debts: read_table(folder, "outside_debts", read_outside_debt),
            conduct_events: read_table(folder, "conduct_events", read_conduct_event),
            peer_reviews: read_table(folder, "peer_reviews", read_peer_review),
            watchlist: read_table(folder, "watchlist", read_listing),
            service_points: read_table(folder, "service_points", read_service_point),
            decisions: read_table(folder, "decisions", read_decision),
        }
    }
}

/// One row of a file, its fields by column name. A column that the file lacks is null.
struct Row {
    table: &'static str,
    fields: BTreeMap<String, String>,
}

impl Row {
    fn text(&self, column: &str) -> Option<String> {
        let field = self.fields.get(column)?;
        (!field.is_empty()).then(|| field.clone())
    }

    fn date(&self, column: &str) -> Option<Date> {
        self.text(column).map(|text| Date::parse(&text))
    }

    fn time(&self, column: &str) -> Option<Time> {
        self.text(column).map(|text| Time::parse(&text))
    }

    /// How often a decimal holds its last place.
    fn scaled(&self, column: &str, places: usize) -> Option<i128> {
        self.text(column).map(|text| parse_scaled(&text, places))
    }

    fn money(&self, column: &str) -> Option<i128> {
        self.scaled(column, 2)
    }

    fn tenths(&self, column: &str) -> Option<i128> {
        self.text(column).map(|text| parse_scaled(&text, 1))
    }

    fn count(&self, column: &str) -> Option<i128> {
        self.text(column).map(|text| parse_scaled(&text, 0))
    }

    fn real(&self, column: &str) -> Option<f64> {
        let text = self.text(column)?;
        let value = text.parse();
        Some(value.unwrap_or_else(|_| panic!("{}: `{text}` is not a number", self.table)))
    }

    fn truth(&self, column: &str) -> Option<bool> {
        match self.text(column)?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            other => panic!("{}: `{other}` is neither true nor false", self.table),
        }
    }

    fn position(&self) -> Option<Position> {
        Some(Position { longitude: self.real("longitude")?, latitude: self.real("latitude")? })
    }

    /// The value of a column that may not be null.
    fn required<T>(&self, column: &str, read: impl Fn(&Row, &str) -> Option<T>) -> T {
        read(self, column).unwrap_or_else(|| panic!("{}: nothing in `{column}`: {:?}", self.table, self.fields))
    }
}

fn read_table<T>(folder: &Path, table: &'static str, read_row: impl Fn(&Row) -> T) -> Option<Vec<T>> {
    let path = folder.join(format!("{table}.csv"));
    if !path.exists() {
        return None;
    }
    let mut reader = csv::Reader::from_path(&path).unwrap_or_else(|error| panic!("{table}: {error}"));
    let rows = reader.deserialize().map(|record| {
        let fields = record.unwrap_or_else(|error| panic!("{table}: {error}"));
        read_row(&Row { table, fields })
    });
    Some(rows.collect())
}

fn read_area(row: &Row) -> Area {
    Area {
        area_id: row.required("area_id", Row::text),
        parent_area_id: row.text("parent_area_id"),
        level: row.required("level", Row::text),
        is_rural: row.required("is_rural", Row::truth),
        household_count: row.required("household_count", Row::count),
        adult_population: row.required("adult_population", Row::count),
        land_km2: row.scaled("land_km2", 4),
    }
}

fn read_branch(row: &Row) -> Branch {
    Branch {
        branch_id: row.required("branch_id", Row::text),
        area_id: row.required("area_id", Row::text),
        opened_on: row.required("opened_on", Row::date),
        closed_on: row.date("closed_on"),
    }
}

fn read_grid(row: &Row) -> Grid {
    Grid {
        grid_id: row.required("grid_id", Row::text),
        branch_id: row.required("branch_id", Row::text),
        area_id: row.required("area_id", Row::text),
        kind: row.required("kind", Row::text),
        settlement: row.text("settlement"),
        joined_on: row.required("joined_on", Row::date),
        valid_from: row.required("valid_from", Row::date),
        valid_to: row.date("valid_to"),
    }
}

fn read_officer(row: &Row) -> Officer {
    Officer {
        officer_id: row.required("officer_id", Row::text),
        branch_id: row.required("branch_id", Row::text),
        active_from: row.required("active_from", Row::date),
        active_to: row.date("active_to"),
    }
}

fn read_assignment(row: &Row) -> Assignment {
    Assignment {
        grid_id: row.required("grid_id", Row::text),
        officer_id: row.required("officer_id", Row::text),
        duty: row.required("duty", Row::text),
        valid_from: row.required("valid_from", Row::date),
        valid_to: row.date("valid_to"),
    }
}

fn read_household(row: &Row) -> Household {
    Household {
        household_id: row.required("household_id", Row::text),
        grid_id: row.required("grid_id", Row::text),
        kind: row.required("kind", Row::text),
        head_name: row.required("head_name", Row::text),
        notice_consent: row.truth("notice_consent"),
        member_count: row.required("member_count", Row::count),
        care_category: row.required("care_category", Row::text),
        position: row.position(),
        valid_from: row.required("valid_from", Row::date),
        valid_to: row.date("valid_to"),
    }
}

fn read_profile(row: &Row) -> Profile {
    let nine_fields = [
        "labour_count",
        "annual_income",
        "annual_operating_cost",
        "total_assets",
        "total_liabilities",
        "land_mu",
        "dwelling",
        "main_activity",
        "has_insurance",
    ];
    let filled = nine_fields.iter().filter(|field| row.text(field).is_some());
    Profile {
        profile_id: row.required("profile_id", Row::text),
        household_id: row.required("household_id", Row::text),
        profiled_on: row.required("profiled_on", Row::date),
        recorded_at: row.required("recorded_at", Row::time),
        labour_count: row.count("labour_count"),
        annual_income: row.money("annual_income"),
        annual_operating_cost: row.money("annual_operating_cost"),
        total_assets: row.money("total_assets"),
        total_liabilities: row.money("total_liabilities"),
        filled_fields: filled.count() as i128,
    }
}

fn read_visit(row: &Row) -> Visit {
    Visit {
        visit_id: row.required("visit_id", Row::text),
        officer_id: row.required("officer_id", Row::text),
        grid_id: row.required("grid_id", Row::text),
        household_id: row.text("household_id"),
        started_at: row.required("started_at", Row::time),
        ended_at: row.required("ended_at", Row::time),
        recorded_at: row.required("recorded_at", Row::time),
        channel: row.required("channel", Row::text),
        position: row.position(),
        photo_hash: row.text("photo_hash"),
        device_id: row.text("device_id"),
        issue_level: row.required("issue_level", Row::text),
        issue_status: row.required("issue_status", Row::text),
        issue_resolved_at: row.time("issue_resolved_at"),
    }
}

fn read_account(row: &Row) -> Account {
    Account {
        account_id: row.required("account_id", Row::text),
        household_id: row.required("household_id", Row::text),
        product: row.required("product", Row::text),
        opened_on: row.required("opened_on", Row::date),
        closed_on: row.date("closed_on"),
        has_mobile: row.required("has_mobile", Row::truth),
        has_pos: row.required("has_pos", Row::truth),
    }
}

fn read_account_month(row: &Row) -> AccountMonth {
    AccountMonth {
        account_id: row.required("account_id", Row::text),
        month: row.required("month", Row::date),
        average_balance: row.required("average_balance", Row::money),
        inflow: row.required("inflow", Row::money),
        transaction_count: row.required("transaction_count", Row::count),
    }
}

fn read_loan(row: &Row) -> Loan {
    Loan {
        loan_id: row.required("loan_id", Row::text),
        household_id: row.text("household_id"),
        branch_id: row.required("branch_id", Row::text),
        borrower_kind: row.required("borrower_kind", Row::text),
        is_agricultural: row.required("is_agricultural", Row::truth),
        guarantee: row.required("guarantee", Row::text),
        credit_line: row.required("credit_line", Row::money),
        principal: row.required("principal", Row::money),
        annual_rate_millionths: row.required("annual_rate", |row, column| row.scaled(column, 6)),
        disbursed_on: row.required("disbursed_on", Row::date),
        closed_on: row.date("closed_on"),
    }
}

fn read_loan_month(row: &Row) -> LoanMonth {
    let risk_class = row.required("risk_class", Row::text);
    let classes = ["normal", "special_mention", "substandard", "doubtful", "loss"];
    let place = classes.iter().position(|class| *class == risk_class);
    LoanMonth {
        loan_id: row.required("loan_id", Row::text),
        month_end: row.required("month_end", Row::date),
        outstanding: row.required("outstanding", Row::money),
        days_past_due: row.required("days_past_due", Row::count),
        risk_class: place.unwrap_or_else(|| panic!("`{risk_class}` is not a risk class")) as i128,
    }
}

fn read_instalment(row: &Row) -> Instalment {
    Instalment {
        loan_id: row.required("loan_id", Row::text),
        due_on: row.required("due_on", Row::date),
        due_amount: row.required("due_amount", Row::money),
        paid_on: row.date("paid_on"),
    }
}

fn read_outside_debt(row: &Row) -> OutsideDebt {
    OutsideDebt {
        household_id: row.required("household_id", Row::text),
        reported_on: row.required("reported_on", Row::date),
        outstanding: row.required("outstanding", Row::money),
        monthly_payment: row.required("monthly_payment", Row::money),
        guarantee_outstanding: row.required("guarantee_outstanding", Row::money),
        overdue_count_24m: row.required("overdue_count_24m", Row::count),
    }
}

fn read_conduct_event(row: &Row) -> ConductEvent {
    ConductEvent {
        household_id: row.required("household_id", Row::text),
        points_tenths: row.required("points", Row::tenths),
        status: row.required("status", Row::text),
        status_on: row.required("status_on", Row::date),
        is_veto: row.required("is_veto", Row::truth),
    }
}

fn read_peer_review(row: &Row) -> PeerReview {
    PeerReview {
        household_id: row.required("household_id", Row::text),
        reviewer_id: row.required("reviewer_id", Row::text),
        reviewed_on: row.required("reviewed_on", Row::date),
        knows_household: row.required("knows_household", Row::truth),
        score_tenths: row.tenths("score"),
        is_veto: row.required("is_veto", Row::truth),
    }
}

fn read_listing(row: &Row) -> Listing {
    Listing {
        household_id: row.required("household_id", Row::text),
        list_name: row.required("list_name", Row::text),
        listed_on: row.required("listed_on", Row::date),
        delisted_on: row.date("delisted_on"),
    }
}

fn read_service_point(row: &Row) -> ServicePoint {
    ServicePoint {
        area_id: row.required("area_id", Row::text),
        branch_id: row.required("branch_id", Row::text),
        kind: row.required("kind", Row::text),
        opened_on: row.required("opened_on", Row::date),
        closed_on: row.date("closed_on"),
        last_used_on: row.date("last_used_on"),
        position: row.position(),
        station_items: row.count("station_items"),
    }
}

fn read_decision(row: &Row) -> Decision {
    Decision {
        decision_id: row.required("decision_id", Row::text),
        household_id: row.required("household_id", Row::text),
        decided_at: row.required("decided_at", Row::time),
        reviewer_id: row.required("reviewer_id", Row::text),
        approver_id: row.text("approver_id"),
        action: row.required("action", Row::text),
        grade: row.text("grade"),
        limit: row.money("limit"),
        overrides: row.text("overrides"),
        reason: row.text("reason"),
        expires_on: row.date("expires_on"),
    }
}
