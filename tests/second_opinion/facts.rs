//! The facts of a household, one function each under the name and the words of its rule. Facts
//! are exact; how one becomes a cell or a point is a matter of `Value`. Leaves scores to
//! `grading`.

use super::calendar::Date;
use super::evidence::{AccountRows, Evidence, LoanRows};
use super::exact::{Ratio, divide_down, format_money, format_scaled};
use super::reading::{ConductEvent, Instalment, LoanMonth, OutsideDebt, PeerReview, Profile};

/// The facts of one household in the order of `FACTS`.
#[derive(Debug)]
pub struct Facts(pub Vec<(&'static str, Option<Value>)>);

#[derive(Clone, Copy, Debug)]
pub enum Value {
    Count(i128),
    /// In hundredths.
    Money(i128),
    Tenths(i128),
    /// A share or a real.
    Float(Ratio),
}

impl Value {
    /// The exact value, money in currency units.
    pub fn exact(self) -> Ratio {
        match self {
            Value::Count(count) => Ratio::new(count, 1),
            Value::Money(hundredths) => Ratio::new(hundredths, 100),
            Value::Tenths(tenths) => Ratio::new(tenths, 10),
            Value::Float(ratio) => ratio,
        }
    }

    pub fn cell(self) -> String {
        match self {
            Value::Count(count) => count.to_string(),
            Value::Money(hundredths) => format_money(hundredths),
            Value::Tenths(tenths) => format_scaled(tenths, 1),
            Value::Float(ratio) => ratio.as_float().to_string(),
        }
    }
}

impl Facts {
    pub fn value(&self, name: &str) -> Option<Value> {
        let found = self.0.iter().find(|(fact, _)| *fact == name);
        found.unwrap_or_else(|| panic!("there is no fact `{name}`")).1
    }

    /// A count as it is, money in hundredths, tenths in tenths.
    pub fn integer(&self, name: &str) -> Option<i128> {
        match self.value(name)? {
            Value::Count(value) | Value::Money(value) | Value::Tenths(value) => Some(value),
            Value::Float(_) => panic!("`{name}` is no integer"),
        }
    }

    pub fn measure(evidence: &Evidence) -> Facts {
        let values = FACTS.iter();
        Facts(values.map(|(name, measure)| (*name, measure(evidence))).collect())
    }
}

type Measure = fn(&Evidence) -> Option<Value>;

/// Every fact, in the order of the rules' table.
pub const FACTS: [(&str, Measure); 33] = [
    ("instalments_due_24m", |e| count(instalments_due_24m(e))),
    ("on_time_share_24m", |e| float(on_time_share_24m(e))),
    ("delay_days_max_24m", |e| count(delay_days_max_24m(e))),
    ("own_outstanding", |e| money(own_outstanding(e))),
    ("own_unsecured_outstanding", |e| money(own_unsecured_outstanding(e))),
    ("own_bad_outstanding", |e| money(own_bad_outstanding(e))),
    ("days_past_due_now", |e| count(days_past_due_now(e))),
    ("risk_class_worst_12m", |e| count(risk_class_worst_12m(e))),
    ("outside_outstanding", |e| money(outside_outstanding(e))),
    ("outside_guarantees", |e| money(outside_guarantees(e))),
    ("outside_overdue_count_24m", |e| count(outside_overdue_count_24m(e))),
    ("outside_monthly_payment", |e| money(outside_monthly_payment(e))),
    ("net_income", |e| money(net_income(e))),
    ("net_income_per_member", |e| money(net_income_per_member(e))),
    ("debt_service_12m", |e| money(Some(debt_service_12m(e)))),
    ("debt_service_share", |e| float(debt_service_share(e))),
    ("labour_share", |e| float(labour_share(e))),
    ("inflow_months_12m", |e| count(inflow_months_12m(e))),
    ("net_assets", |e| money(net_assets(e))),
    ("debt_to_assets", |e| float(debt_to_assets(e))),
    ("deposit_average_12m", |e| money(deposit_average_12m(e))),
    ("relationship_months", |e| count(relationship_months(e))),
    ("channel_count", |e| count(channel_count(e))),
    ("conduct_points_12m", |e| tenths(conduct_points_12m(e))),
    ("conduct_points_per_member_12m", |e| float(conduct_points_per_member_12m(e))),
    ("conduct_vetoes_12m", |e| count(conduct_vetoes_12m(e))),
    ("peer_review_count", |e| count(peer_review_count(e))),
    ("peer_score", |e| float(peer_score(e))),
    ("peer_vetoes", |e| count(peer_vetoes(e))),
    ("profile_age_days", |e| count(profile_age_days(e))),
    ("profile_completeness", |e| float(profile_completeness(e))),
    ("valid_visits_12m", |e| count(valid_visits_12m(e))),
    ("days_since_valid_visit", |e| count(days_since_valid_visit(e))),
];

fn count(value: Option<i128>) -> Option<Value> {
    value.map(Value::Count)
}

fn money(value: Option<i128>) -> Option<Value> {
    value.map(Value::Money)
}

fn tenths(value: Option<i128>) -> Option<Value> {
    value.map(Value::Tenths)
}

fn float(value: Option<Ratio>) -> Option<Value> {
    value.map(Value::Float)
}

/// "the profile" is the latest known one by (`profiled_on`, `recorded_at`, `profile_id`).
pub fn latest_profile<'a>(e: &Evidence<'a>) -> Option<&'a Profile> {
    let profiles = e.profiles.iter().flatten().copied();
    profiles.max_by_key(|row| (row.profiled_on, row.recorded_at, row.profile_id.as_str()))
}

/// From the latest outside_debts row in W(12).
fn latest_outside_debt<'a>(e: &Evidence<'a>) -> Option<&'a OutsideDebt> {
    let rows = e.outside_debts.iter().flatten().copied();
    rows.filter(|row| e.as_of.window_contains(12, row.reported_on)).max_by_key(|row| row.reported_on)
}

fn outside_outstanding(e: &Evidence) -> Option<i128> {
    latest_outside_debt(e).map(|row| row.outstanding)
}

fn outside_guarantees(e: &Evidence) -> Option<i128> {
    latest_outside_debt(e).map(|row| row.guarantee_outstanding)
}

fn outside_overdue_count_24m(e: &Evidence) -> Option<i128> {
    latest_outside_debt(e).map(|row| row.overdue_count_24m)
}

fn outside_monthly_payment(e: &Evidence) -> Option<i128> {
    latest_outside_debt(e).map(|row| row.monthly_payment)
}

/// Instalments of the household's known loans with `due_on` in W(24) and, where the loan is
/// closed, ≤ its `closed_on`; each with its loan. Null without the table.
fn due_instalments<'a, 'b>(e: &'b Evidence<'a>) -> Option<Vec<(&'b LoanRows<'a>, &'a Instalment)>> {
    let mut due = Vec::new();
    for rows in &e.loans {
        for instalment in &rows.instalments {
            let is_before_closing = rows.loan.closed_on.is_none_or(|closed_on| instalment.due_on <= closed_on);
            if e.as_of.window_contains(24, instalment.due_on) && is_before_closing {
                due.push((rows, *instalment));
            }
        }
    }
    e.has_instalments.then_some(due)
}

fn instalments_due_24m(e: &Evidence) -> Option<i128> {
    due_instalments(e).map(|due| due.len() as i128)
}

/// Of those, the share with `paid_on ≤ due_on`.
fn on_time_share_24m(e: &Evidence) -> Option<Ratio> {
    let due = due_instalments(e)?;
    let on_time = due.iter().filter(|(_, row)| row.paid_on.is_some_and(|paid_on| paid_on <= row.due_on));
    Ratio::share(on_time.count() as i128, due.len() as i128)
}

/// Of those, the greatest delay: `max(0, paid_on − due_on)` when paid by T, else
/// `min(T, closed_on) − due_on`.
fn delay_days_max_24m(e: &Evidence) -> Option<i128> {
    let delays = due_instalments(e)?.into_iter().map(|(rows, row)| {
        let days = match row.paid_on {
            Some(paid_on) => paid_on.days_since(row.due_on).max(0),
            None => {
                let end = rows.loan.closed_on.unwrap_or(e.as_of).min(e.as_of);
                end.days_since(row.due_on)
            }
        };
        i128::from(days)
    });
    delays.max()
}

/// Open: disbursed ≤ T, and `closed_on` null or > T (then it was forgotten).
fn open_loans<'a, 'b>(e: &'b Evidence<'a>) -> impl Iterator<Item = &'b LoanRows<'a>> {
    e.loans.iter().filter(|rows| rows.loan.closed_on.is_none())
}

/// The latest known loan_months row.
fn latest_month<'a>(rows: &LoanRows<'a>) -> Option<&'a LoanMonth> {
    rows.months.iter().copied().max_by_key(|row| row.month_end)
}

/// The `outstanding` of the latest known loan_months row, or `principal` where there is none. A
/// negative one (an overpaid loan) counts 0.
fn outstanding(rows: &LoanRows) -> i128 {
    latest_month(rows).map_or(rows.loan.principal, |row| row.outstanding.max(0))
}

fn own_outstanding(e: &Evidence) -> Option<i128> {
    Some(open_loans(e).map(outstanding).sum())
}

/// The same, loans with guarantee `credit` only.
fn own_unsecured_outstanding(e: &Evidence) -> Option<i128> {
    let unsecured = open_loans(e).filter(|rows| rows.loan.guarantee == "credit");
    Some(unsecured.map(outstanding).sum())
}

/// The same, where that row's risk_class is substandard, doubtful or loss.
fn own_bad_outstanding(e: &Evidence) -> Option<i128> {
    let bad = open_loans(e).filter(|rows| latest_month(rows).is_some_and(|row| row.risk_class >= 2));
    Some(bad.map(outstanding).sum())
}

/// Greatest `days_past_due` of those rows; null without open loans; a loan without a row counts 0.
fn days_past_due_now(e: &Evidence) -> Option<i128> {
    open_loans(e).map(|rows| latest_month(rows).map_or(0, |row| row.days_past_due)).max()
}

/// Worst class (normal 0 … loss 4) over known loan_months rows with `month_end` in W(12), all the
/// household's loans.
fn risk_class_worst_12m(e: &Evidence) -> Option<i128> {
    let months = e.loans.iter().flat_map(|rows| &rows.months);
    months.filter(|row| e.as_of.window_contains(12, row.month_end)).map(|row| row.risk_class).max()
}

/// The profile's annual_income − annual_operating_cost; null if either is.
fn net_income(e: &Evidence) -> Option<i128> {
    let profile = latest_profile(e)?;
    Some(profile.annual_income? - profile.annual_operating_cost?)
}

/// net_income / member_count, rounded down (towards −∞) to the smallest unit.
fn net_income_per_member(e: &Evidence) -> Option<i128> {
    net_income(e).map(|income| divide_down(income, e.household.member_count))
}

/// `due_amount` of instalments of open loans with `due_on` after T and ≤ T + 12 months that are
/// not paid by T, plus 12 × outside_monthly_payment. A missing part counts 0.
fn debt_service_12m(e: &Evidence) -> i128 {
    let last_day = e.as_of.plus_months(12);
    let coming = open_loans(e)
        .flat_map(|rows| &rows.instalments)
        .filter(|row| e.as_of < row.due_on && row.due_on <= last_day)
        .filter(|row| row.paid_on.is_none());
    let own: i128 = coming.map(|row| row.due_amount).sum();
    own + 12 * outside_monthly_payment(e).unwrap_or(0)
}

/// debt_service_12m / net_income; null unless net_income > 0.
fn debt_service_share(e: &Evidence) -> Option<Ratio> {
    Ratio::share(debt_service_12m(e), net_income(e)?)
}

/// min(labour_count, member_count) / member_count.
fn labour_share(e: &Evidence) -> Option<Ratio> {
    let members = e.household.member_count;
    Ratio::share(latest_profile(e)?.labour_count?.min(members), members)
}

fn has_account(e: &Evidence) -> Option<()> {
    (!e.accounts.is_empty()).then_some(())
}

/// Months of M(12) in which the household's accounts together have inflow > 0; null without a
/// known account.
fn inflow_months_12m(e: &Evidence) -> Option<i128> {
    has_account(e)?;
    let inflow_of = |month: &Date| -> i128 {
        let rows = e.accounts.iter().flat_map(|account| &account.months);
        rows.filter(|row| row.month == *month).map(|row| row.inflow).sum()
    };
    let months = e.as_of.complete_months();
    let with_inflow = months.iter().filter(|month| inflow_of(month) > 0);
    Some(with_inflow.count() as i128)
}

/// total_assets − total_liabilities.
fn net_assets(e: &Evidence) -> Option<i128> {
    let profile = latest_profile(e)?;
    Some(profile.total_assets? - profile.total_liabilities?)
}

/// total_liabilities / total_assets; null unless total_assets > 0.
fn debt_to_assets(e: &Evidence) -> Option<Ratio> {
    let profile = latest_profile(e)?;
    Ratio::share(profile.total_liabilities?, profile.total_assets?)
}

/// Sum of average_balance of the household's accounts over M(12), / 12; null without a known
/// account. A month without a row adds nothing.
fn deposit_average_12m(e: &Evidence) -> Option<i128> {
    has_account(e)?;
    let months = e.as_of.complete_months();
    let rows = e.accounts.iter().flat_map(|account| &account.months);
    let total: i128 = rows.filter(|row| months.contains(&row.month)).map(|row| row.average_balance).sum();
    Some(divide_down(total, 12))
}

/// Whole months from the earliest `opened_on` of a known account to T; null without one.
fn relationship_months(e: &Evidence) -> Option<i128> {
    let earliest = e.accounts.iter().map(|rows| rows.account.opened_on).min()?;
    Some(i128::from(e.as_of.whole_months_since(earliest)))
}

/// Among accounts open on T: any has_mobile, any has_pos, any product card; null without a known
/// account.
fn channel_count(e: &Evidence) -> Option<i128> {
    has_account(e)?;
    let open: Vec<&AccountRows> = e.accounts.iter().filter(|rows| rows.account.closed_on.is_none()).collect();
    let channels = [
        open.iter().any(|rows| rows.account.has_mobile),
        open.iter().any(|rows| rows.account.has_pos),
        open.iter().any(|rows| rows.account.product == "card"),
    ];
    Some(channels.iter().filter(|has_channel| **has_channel).count() as i128)
}

/// Events with status posted and `status_on` in W(12). Null without the table.
fn posted_events<'a>(e: &Evidence<'a>) -> Option<Vec<&'a ConductEvent>> {
    let rows = e.conduct_events.as_ref()?.iter().copied();
    let posted = rows.filter(|row| row.status == "posted" && e.as_of.window_contains(12, row.status_on));
    Some(posted.collect())
}

/// Sum of their points; null (not 0) when there are none.
fn conduct_points_12m(e: &Evidence) -> Option<i128> {
    let posted = posted_events(e)?;
    (!posted.is_empty()).then(|| posted.iter().map(|row| row.points_tenths).sum())
}

/// That / member_count.
fn conduct_points_per_member_12m(e: &Evidence) -> Option<Ratio> {
    Ratio::share(conduct_points_12m(e)?, 10 * e.household.member_count)
}

/// Such events with is_veto.
fn conduct_vetoes_12m(e: &Evidence) -> Option<i128> {
    let posted = posted_events(e)?;
    Some(posted.iter().filter(|row| row.is_veto).count() as i128)
}

/// Reviews in W(24), the latest per reviewer, that know the household. Null without the table.
fn knowing_reviews<'a>(e: &Evidence<'a>) -> Option<Vec<&'a PeerReview>> {
    let reviews = e.peer_reviews.as_ref()?;
    let in_window: Vec<&PeerReview> =
        reviews.iter().copied().filter(|row| e.as_of.window_contains(24, row.reviewed_on)).collect();
    let is_latest = |row: &PeerReview| {
        !in_window.iter().any(|other| other.reviewer_id == row.reviewer_id && other.reviewed_on > row.reviewed_on)
    };
    let latest = in_window.iter().copied().filter(|row| is_latest(row));
    Some(latest.filter(|row| row.knows_household).collect())
}

fn peer_scores(e: &Evidence) -> Option<Vec<i128>> {
    let reviews = knowing_reviews(e)?;
    Some(reviews.iter().filter_map(|row| row.score_tenths).collect())
}

/// … that know the household and have a score.
fn peer_review_count(e: &Evidence) -> Option<i128> {
    peer_scores(e).map(|scores| scores.len() as i128)
}

/// Their mean score, when there are at least *peer_reviews_min*.
fn peer_score(e: &Evidence) -> Option<Ratio> {
    let scores = peer_scores(e)?;
    let count = scores.len() as i128;
    if count < e.policy.peer_reviews_min {
        return None;
    }
    Ratio::share(scores.iter().sum(), 10 * count)
}

/// Such latest reviews that know the household and veto.
fn peer_vetoes(e: &Evidence) -> Option<i128> {
    let reviews = knowing_reviews(e)?;
    Some(reviews.iter().filter(|row| row.is_veto).count() as i128)
}

/// T − profiled_on.
fn profile_age_days(e: &Evidence) -> Option<i128> {
    latest_profile(e).map(|row| i128::from(e.as_of.days_since(row.profiled_on)))
}

/// Non-null among the profile's nine fields / 9.
fn profile_completeness(e: &Evidence) -> Option<Ratio> {
    Ratio::share(latest_profile(e)?.filled_fields, 9)
}

/// Valid visits to the household, in grids of its present branch, in W(12).
fn valid_visits_12m(e: &Evidence) -> Option<i128> {
    let recent = e.valid_visits.iter().filter(|visit| e.as_of.window_contains(12, visit.started_at.date));
    Some(recent.count() as i128)
}

/// T − the day of the latest such visit in W(24).
fn days_since_valid_visit(e: &Evidence) -> Option<i128> {
    let days = e.valid_visits.iter().map(|visit| visit.started_at.date);
    let latest = days.filter(|day| e.as_of.window_contains(24, *day)).max()?;
    Some(i128::from(e.as_of.days_since(latest)))
}

#[cfg(test)]
mod tests {
    use super::super::calendar::Time;
    use super::super::examples::{
        account, account_month, bank, date, fact, instalment, loan, loan_month, profile, visit,
    };
    use super::super::reading::{Bank, ConductEvent, OutsideDebt, PeerReview};

    fn bank_with_loan(closed_on: Option<&str>, instalments: &[(&str, Option<&str>)]) -> Bank {
        let rows = instalments.iter();
        Bank {
            loans: vec![loan("2023-01-01", closed_on)],
            instalments: Some(rows.map(|(due, paid)| instalment(due, *paid)).collect()),
            ..bank()
        }
    }

    #[test]
    fn a_count_over_nothing_is_0_and_a_greatest_of_nothing_is_null() {
        let none = || bank_with_loan(None, &[]);
        assert_eq!(fact(none(), "instalments_due_24m"), "0");
        assert_eq!(fact(none(), "on_time_share_24m"), "");
        assert_eq!(fact(none(), "delay_days_max_24m"), "");
        let without_table = Bank { instalments: None, ..none() };
        assert_eq!(fact(without_table, "instalments_due_24m"), "");
    }

    #[test]
    fn instalments_of_a_closed_loan_count_up_to_its_closing() {
        let due = [("2026-01-31", None), ("2026-02-28", None), ("2026-03-31", None)];
        let closed = || bank_with_loan(Some("2026-02-28"), &due);
        assert_eq!(fact(closed(), "instalments_due_24m"), "2");
        assert_eq!(fact(closed(), "delay_days_max_24m"), "28");
        let closed_later = || bank_with_loan(Some("2026-07-01"), &due);
        assert_eq!(fact(closed_later(), "instalments_due_24m"), "3");
        assert_eq!(fact(closed_later(), "delay_days_max_24m"), "150");
    }

    #[test]
    fn a_payment_after_the_as_of_date_is_not_known() {
        let paid = |paid_on| bank_with_loan(None, &[("2026-06-30", Some(paid_on))]);
        assert_eq!(fact(paid("2026-06-30"), "on_time_share_24m"), "1");
        assert_eq!(fact(paid("2026-07-01"), "on_time_share_24m"), "0");
        assert_eq!(fact(paid("2026-07-01"), "delay_days_max_24m"), "0");
        let early = bank_with_loan(None, &[("2026-05-30", Some("2026-05-01"))]);
        assert_eq!(fact(early, "delay_days_max_24m"), "0");
    }

    #[test]
    fn the_window_of_24_months_opens_after_its_first_day() {
        let due = [("2024-06-30", None), ("2024-07-01", None)];
        assert_eq!(fact(bank_with_loan(None, &due), "instalments_due_24m"), "1");
    }

    #[test]
    fn an_open_loan_without_a_row_owes_its_principal() {
        let months = |rows| Bank { loan_months: rows, ..bank_with_loan(None, &[]) };
        assert_eq!(fact(months(vec![]), "own_outstanding"), "10000.00");
        assert_eq!(fact(months(vec![]), "own_bad_outstanding"), "0.00");
        assert_eq!(fact(months(vec![]), "days_past_due_now"), "0");
        let rows = vec![
            loan_month("2026-05-31", 500_000, 3),
            loan_month("2026-06-30", -100, 2),
            loan_month("2026-07-31", 700_000, 4),
        ];
        assert_eq!(fact(months(rows.clone()), "own_outstanding"), "0.00");
        assert_eq!(fact(months(rows), "risk_class_worst_12m"), "3");
        let no_loan = || bank_with_loan(Some("2026-06-30"), &[]);
        assert_eq!(fact(no_loan(), "own_outstanding"), "0.00");
        assert_eq!(fact(no_loan(), "days_past_due_now"), "");
    }

    #[test]
    fn debt_service_takes_the_coming_twelve_months_and_outside_payments() {
        let due = [
            ("2026-06-30", None),
            ("2026-07-01", None),
            ("2026-07-31", Some("2026-06-30")),
            ("2026-08-31", Some("2026-07-15")),
            ("2027-06-30", None),
            ("2027-07-01", None),
        ];
        let with_outside = |rows| Bank {
            outside_debts: rows,
            profiles: Some(vec![profile("2026-01-01")]),
            ..bank_with_loan(None, &due)
        };
        assert_eq!(fact(with_outside(None), "debt_service_12m"), "300.00");
        let outside = |reported_on: &str, monthly_payment| OutsideDebt {
            household_id: "H1".to_string(),
            reported_on: date(reported_on),
            outstanding: 0,
            monthly_payment,
            guarantee_outstanding: 0,
            overdue_count_24m: 0,
        };
        let rows = || {
            let rows = [("2025-06-30", 1), ("2025-07-01", 10_000), ("2026-07-01", 3)];
            Some(rows.map(|(day, paid)| outside(day, paid)).to_vec())
        };
        assert_eq!(fact(with_outside(rows()), "debt_service_12m"), "1500.00");
        assert_eq!(fact(with_outside(rows()), "debt_service_share"), "0.025");
    }

    #[test]
    fn a_loss_is_rounded_down_per_member() {
        let mut loss = profile("2026-01-01");
        loss.annual_income = Some(0);
        loss.annual_operating_cost = Some(1);
        let with_loss = || Bank { profiles: Some(vec![loss.clone()]), ..bank() };
        assert_eq!(fact(with_loss(), "net_income"), "-0.01");
        assert_eq!(fact(with_loss(), "net_income_per_member"), "-0.01");
        assert_eq!(fact(with_loss(), "debt_service_share"), "");
    }

    #[test]
    fn the_latest_profile_must_have_been_recorded() {
        let mut late = profile("2026-06-29");
        late.recorded_at = Time::parse("2026-07-01T00:00:00");
        let both = Bank { profiles: Some(vec![late, profile("2026-06-20")]), ..bank() };
        assert_eq!(fact(both, "profile_age_days"), "10");
        assert_eq!(fact(bank(), "profile_age_days"), "");
    }

    #[test]
    fn accounts_give_deposits_inflow_and_channels() {
        let with_account = |closed_on| Bank {
            accounts: vec![account("2024-12-31", closed_on)],
            account_months: vec![
                account_month("2025-06-01", 1_200, 1),
                account_month("2025-07-01", -1, 1),
                account_month("2026-06-01", 0, 0),
                account_month("2026-07-01", 1_200, 1),
            ],
            ..bank()
        };
        assert_eq!(fact(with_account(None), "deposit_average_12m"), "-0.01");
        assert_eq!(fact(with_account(None), "inflow_months_12m"), "1");
        assert_eq!(fact(with_account(None), "relationship_months"), "17");
        assert_eq!(fact(with_account(None), "channel_count"), "2");
        assert_eq!(fact(with_account(Some("2026-06-30")), "channel_count"), "0");
        assert_eq!(fact(bank(), "channel_count"), "");
        let unknown = Bank { accounts: vec![account("2026-07-01", None)], ..with_account(None) };
        assert_eq!(fact(unknown, "deposit_average_12m"), "");
    }

    #[test]
    fn conduct_without_a_posted_event_is_null_and_has_no_vetoes() {
        let event = |status: &str, points_tenths| ConductEvent {
            household_id: "H1".to_string(),
            points_tenths,
            status: status.to_string(),
            status_on: date("2026-01-01"),
            is_veto: true,
        };
        let declared = || Bank { conduct_events: Some(vec![event("declared", 50)]), ..bank() };
        assert_eq!(fact(declared(), "conduct_points_12m"), "");
        assert_eq!(fact(declared(), "conduct_vetoes_12m"), "0");
        let posted = || Bank { conduct_events: Some(vec![event("posted", 50), event("posted", -65)]), ..bank() };
        assert_eq!(fact(posted(), "conduct_points_12m"), "-1.5");
        assert_eq!(fact(posted(), "conduct_points_per_member_12m"), "-0.375");
        assert_eq!(fact(posted(), "conduct_vetoes_12m"), "2");
        let absent = Bank { conduct_events: None, ..bank() };
        assert_eq!(fact(absent, "conduct_vetoes_12m"), "");
    }

    #[test]
    fn only_the_latest_review_of_a_reviewer_speaks() {
        let review = |reviewer: &str, day: &str, knows_household, score_tenths, is_veto| PeerReview {
            household_id: "H1".to_string(),
            reviewer_id: reviewer.to_string(),
            reviewed_on: date(day),
            knows_household,
            score_tenths,
            is_veto,
        };
        let reviewed = |reviews: Vec<PeerReview>| Bank { peer_reviews: Some(reviews), ..bank() };
        let reviews = vec![
            review("N1", "2025-01-01", true, Some(900), true),
            review("N1", "2026-01-01", false, Some(100), false),
            review("N2", "2026-01-01", true, Some(805), true),
            review("N3", "2026-01-01", true, None, true),
            review("N4", "2026-01-01", true, Some(700), false),
            review("N5", "2024-06-30", true, Some(100), true),
        ];
        assert_eq!(fact(reviewed(reviews.clone()), "peer_review_count"), "2");
        assert_eq!(fact(reviewed(reviews.clone()), "peer_score"), "");
        assert_eq!(fact(reviewed(reviews.clone()), "peer_vetoes"), "2");
        let third = review("N6", "2026-06-30", true, Some(650), false);
        let reviews = [reviews, vec![third]].concat();
        let mean = (805.0 + 700.0 + 650.0) / 30.0;
        assert_eq!(fact(reviewed(reviews), "peer_score"), mean.to_string());
    }

    #[test]
    fn visits_count_in_the_present_branch_only() {
        let mut elsewhere = visit("V2", "2026-06-20T09:00:00", "2026-06-20T09:30:00");
        elsewhere.grid_id = "G2".to_string();
        let mut visited = bank();
        let mut other_grid = visited.grids[0].clone();
        other_grid.grid_id = "G2".to_string();
        other_grid.branch_id = "B2".to_string();
        visited.grids.push(other_grid);
        visited.visits = vec![visit("V1", "2025-06-30T09:00:00", "2025-06-30T09:30:00"), elsewhere];
        assert_eq!(fact(visited, "days_since_valid_visit"), "365");
        let old = Bank { visits: vec![visit("V1", "2025-06-30T09:00:00", "2025-06-30T09:30:00")], ..bank() };
        assert_eq!(fact(old, "valid_visits_12m"), "0");
    }
}
