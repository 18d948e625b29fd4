//! Made-up rows for the unit tests here: one household in one grid of one village and branch, with
//! defaults that a test changes where its rule bites. The as-of date of every example is `AS_OF`.

use super::calendar::{Date, Time};
use super::policy::Policy;
use super::reading::{
    Account, AccountMonth, Area, Assignment, Bank, Branch, Decision, Grid, Household, Instalment, Loan, LoanMonth,
    Officer, Profile, Visit,
};
use super::tables::{Previous, Table, Tables};

pub const AS_OF: &str = "2026-06-30";

pub fn date(text: &str) -> Date {
    Date::parse(text)
}

/// One household, one grid, nothing else; the optional tables are there and empty. Branch B2 has no
/// grid.
pub fn bank() -> Bank {
    Bank {
        areas: vec![area("A1", "village", None)],
        branches: vec![branch("B1"), branch("B2")],
        grids: vec![grid("G1")],
        households: vec![household("H1")],
        profiles: Some(Vec::new()),
        instalments: Some(Vec::new()),
        outside_debts: Some(Vec::new()),
        conduct_events: Some(Vec::new()),
        peer_reviews: Some(Vec::new()),
        watchlist: Some(Vec::new()),
        decisions: Some(Vec::new()),
        ..Bank::default()
    }
}

/// A rural area of one household, without adults or a land figure.
pub fn area(area_id: &str, level: &str, parent_area_id: Option<&str>) -> Area {
    Area {
        area_id: area_id.to_string(),
        parent_area_id: parent_area_id.map(str::to_string),
        level: level.to_string(),
        is_rural: true,
        household_count: 1,
        adult_population: 0,
        land_km2: None,
    }
}

pub fn branch(branch_id: &str) -> Branch {
    Branch {
        branch_id: branch_id.to_string(),
        area_id: "A1".to_string(),
        opened_on: date("2000-01-01"),
        closed_on: None,
    }
}

/// A village grid of B1 in A1, in its third programme year.
pub fn grid(grid_id: &str) -> Grid {
    Grid {
        grid_id: grid_id.to_string(),
        branch_id: "B1".to_string(),
        area_id: "A1".to_string(),
        kind: "village".to_string(),
        settlement: None,
        joined_on: date("2024-01-01"),
        valid_from: date("2020-01-01"),
        valid_to: None,
    }
}

/// An officer of B1.
pub fn officer(officer_id: &str) -> Officer {
    Officer {
        officer_id: officer_id.to_string(),
        branch_id: "B1".to_string(),
        active_from: date("2020-01-01"),
        active_to: None,
    }
}

pub fn assignment(grid_id: &str, officer_id: &str, duty: &str) -> Assignment {
    Assignment {
        grid_id: grid_id.to_string(),
        officer_id: officer_id.to_string(),
        duty: duty.to_string(),
        valid_from: date("2020-01-01"),
        valid_to: None,
    }
}

pub fn household(household_id: &str) -> Household {
    Household {
        household_id: household_id.to_string(),
        grid_id: "G1".to_string(),
        kind: "farm_household".to_string(),
        head_name: "某人".to_string(),
        notice_consent: None,
        member_count: 4,
        care_category: "none".to_string(),
        position: None,
        valid_from: date("2020-01-01"),
        valid_to: None,
    }
}

/// A complete profile with net income 60,000 and net assets 200,000.
pub fn profile(profiled_on: &str) -> Profile {
    Profile {
        profile_id: "P1".to_string(),
        household_id: "H1".to_string(),
        profiled_on: date(profiled_on),
        recorded_at: Time::parse(&format!("{profiled_on}T12:00:00")),
        labour_count: Some(2),
        annual_income: Some(9_000_000),
        annual_operating_cost: Some(3_000_000),
        total_assets: Some(25_000_000),
        total_liabilities: Some(5_000_000),
        filled_fields: 9,
    }
}

pub fn visit(visit_id: &str, started_at: &str, ended_at: &str) -> Visit {
    Visit {
        visit_id: visit_id.to_string(),
        officer_id: "O1".to_string(),
        grid_id: "G1".to_string(),
        household_id: Some("H1".to_string()),
        started_at: Time::parse(started_at),
        ended_at: Time::parse(ended_at),
        recorded_at: Time::parse(ended_at),
        channel: "onsite".to_string(),
        position: None,
        photo_hash: None,
        device_id: None,
        issue_level: "none".to_string(),
        issue_status: "none".to_string(),
        issue_resolved_at: None,
    }
}

pub fn loan(disbursed_on: &str, closed_on: Option<&str>) -> Loan {
    Loan {
        loan_id: "L1".to_string(),
        household_id: Some("H1".to_string()),
        branch_id: "B1".to_string(),
        borrower_kind: "farm_household".to_string(),
        is_agricultural: true,
        guarantee: "credit".to_string(),
        credit_line: 1_000_000,
        principal: 1_000_000,
        annual_rate_millionths: 50_000,
        disbursed_on: date(disbursed_on),
        closed_on: closed_on.map(date),
    }
}

pub fn loan_month(month_end: &str, outstanding: i128, risk_class: i128) -> LoanMonth {
    LoanMonth { loan_id: "L1".to_string(), month_end: date(month_end), outstanding, days_past_due: 0, risk_class }
}

pub fn instalment(due_on: &str, paid_on: Option<&str>) -> Instalment {
    Instalment { loan_id: "L1".to_string(), due_on: date(due_on), due_amount: 10_000, paid_on: paid_on.map(date) }
}

pub fn account(opened_on: &str, closed_on: Option<&str>) -> Account {
    Account {
        account_id: "C1".to_string(),
        household_id: "H1".to_string(),
        product: "card".to_string(),
        opened_on: date(opened_on),
        closed_on: closed_on.map(date),
        has_mobile: true,
        has_pos: false,
    }
}

pub fn account_month(month: &str, average_balance: i128, inflow: i128) -> AccountMonth {
    AccountMonth { account_id: "C1".to_string(), month: date(month), average_balance, inflow, transaction_count: 0 }
}

/// A decision with an approver and a reason, about H1.
pub fn decision(decision_id: &str, action: &str) -> Decision {
    Decision {
        decision_id: decision_id.to_string(),
        household_id: "H1".to_string(),
        decided_at: Time::parse("2026-06-01T09:00:00"),
        reviewer_id: "R1".to_string(),
        approver_id: Some("R2".to_string()),
        action: action.to_string(),
        grade: None,
        limit: None,
        overrides: None,
        reason: Some("seen on the spot".to_string()),
        expires_on: None,
    }
}

pub fn run(bank: Bank) -> Tables {
    run_after(bank, None)
}

pub fn run_with(policy: &Policy, bank: Bank) -> Tables {
    super::calculate_bank(policy, bank, date(AS_OF), None)
}

pub fn run_after(bank: Bank, previous: Option<&Previous>) -> Tables {
    super::calculate_bank(&Policy::default(), bank, date(AS_OF), previous)
}

/// A cell of the first row whose first cell is `key`.
pub fn cell<'a>(table: &'a Table, key: &str, column: &str) -> &'a str {
    let mut rows = table.rows.iter();
    let row = rows.find(|row| row[0] == key).expect("the row is there");
    table.cell(row, column).expect("the column is there")
}

/// A fact of H1.
pub fn fact(bank: Bank, name: &str) -> String {
    cell(&run(bank)["household_facts"], "H1", name).to_string()
}
