//! What is known of one household of a random bank: its row, file, accounts, loans, conduct, decisions and visits, in
//! every state that coverage tells apart, some of it from after the as-of date. Where households, grids and officers
//! stand is left to `plan`.

use chrono::{Days, Months, NaiveDate, NaiveDateTime, TimeDelta};

use super::book::{AS_OF, Book, day, moment, written};
use super::draw::Draw;
use crate::support::bank::Row;

const KINDS: [&str; 10] = [
    "farm_household",
    "farm_household",
    "resident",
    "resident",
    "merchant",
    "small_enterprise",
    "large_grower",
    "cooperative",
    "leading_enterprise",
    "family_farm",
];
const CARE: [&str; 9] =
    ["none", "none", "none", "none", "hardship", "living_alone", "disabled", "left_behind", "unemployed"];
const ISSUES: [(&str, &str); 7] = [
    ("none", "none"),
    ("none", "none"),
    ("routine", "open"),
    ("urgent", "open"),
    ("urgent", "resolved_in_grid"),
    ("coordination", "resolved_in_community"),
    ("routine", "resolved_in_township"),
];

/// Who is visited, and where that is.
#[derive(Clone, Copy)]
pub struct Household<'a> {
    pub id: &'a str,
    pub grid: &'a str,
    pub home: Option<(f64, f64)>,
    /// As a grid manager likes it: well off, filed this year, and an accept in force unless something stands against it.
    pub is_served: bool,
}

fn row(cells: &[(&str, &dyn std::fmt::Display)]) -> Row {
    cells.iter().map(|(column, value)| (column.to_string(), value.to_string())).collect()
}

fn position(place: Option<(f64, f64)>) -> [String; 2] {
    place.map_or_else(Default::default, |(longitude, latitude)| [format!("{longitude:.4}"), format!("{latitude:.4}")])
}

pub fn household(draw: &mut Draw, household: &Household, valid_from: NaiveDate, valid_to: &str) -> Row {
    let [longitude, latitude] = position(household.home);
    row(&[
        ("household_id", &household.id),
        ("grid_id", &household.grid),
        ("kind", &draw.pick(&KINDS)),
        ("notice_consent", &draw.pick(&["true", "false", ""])),
        ("member_count", &draw.between(1, 6)),
        ("care_category", &draw.pick(&CARE)),
        ("longitude", &longitude),
        ("latitude", &latitude),
        ("valid_from", &valid_from),
        ("valid_to", &valid_to),
    ])
}

pub fn add_profiles(book: &mut Book, draw: &mut Draw, household: &Household) {
    let (id, is_served) = (household.id, household.is_served);
    let days: &[i64] = if is_served { &[0, 90, 181, 365] } else { &[-3, 366, 500, 730, 731, 900] };
    let least = if is_served { 20 } else { 1 };
    for number in 0..draw.pick(&[usize::from(is_served), 1, 1, 1, 2]) {
        let before = draw.pick(days);
        let mut profile = row(&[
            ("profile_id", &format!("{id}-{number}")),
            ("household_id", &id),
            ("officer_id", &""),
            ("profiled_on", &day(before)),
            ("recorded_at", &written(moment(before, 1080))),
            ("labour_count", &draw.between(0, 4)),
            ("annual_income", &(draw.between(least, 30) * 10_000)),
            ("annual_operating_cost", &(draw.between(0, 3) * 15_000)),
            ("total_assets", &(draw.between(least, 60) * 20_000)),
            ("total_liabilities", &(draw.between(0, 4) * 30_000)),
        ]);
        if !is_served && draw.has_chance(20) {
            // Five of nine fields left: not complete enough to be rated.
            for column in ["labour_count", "annual_income", "total_assets", "dwelling"] {
                profile.insert(column.into(), String::new());
            }
        }
        book.add_row("profiles", profile);
    }
}

pub fn add_accounts(book: &mut Book, draw: &mut Draw, household: &str) {
    for number in 0..draw.pick(&[0, 1, 1, 2]) {
        let account = format!("{household}-{number}");
        let closed = if draw.has_chance(20) { day(draw.between(-9, 200)).to_string() } else { String::new() };
        book.add(
            "accounts",
            &[
                ("account_id", &account),
                ("household_id", &household),
                ("product", &draw.pick(&["demand", "term", "card", "wealth"])),
                ("opened_on", &day(draw.pick(&[200, 300, 800, 2500]))),
                ("closed_on", &closed),
                ("has_mobile", &draw.has_chance(50)),
                ("has_pos", &draw.has_chance(20)),
            ],
        );
        let months = draw.below(15) as u32;
        for back in 0..months {
            book.add(
                "account_months",
                &[
                    ("account_id", &account),
                    ("month", &(NaiveDate::from_ymd_opt(2026, 7, 1).unwrap() - Months::new(back))),
                    ("average_balance", &draw.pick(&[0, 900, 8_000, 60_000])),
                    ("inflow", &draw.pick(&[0, 3_000])),
                    ("transaction_count", &draw.pick(&[0, 0, 7])),
                ],
            );
        }
    }
}

pub fn add_loans(book: &mut Book, draw: &mut Draw, household: &str, branch: &str) {
    for number in 0..draw.pick(&[0, 0, 1, 1, 2]) {
        let loan = format!("{household}-{number}");
        let before = draw.between(30, 900);
        let closed = if draw.has_chance(20) { day(draw.between(-5, 25)).to_string() } else { String::new() };
        book.add(
            "loans",
            &[
                ("loan_id", &loan),
                ("household_id", &household),
                ("branch_id", &branch),
                ("guarantee", &draw.pick(&["credit", "mortgaged"])),
                ("disbursed_on", &day(before)),
                ("matures_on", &day(before - 1200)),
                ("closed_on", &closed),
            ],
        );
        for back in 0..draw.below(4) as u32 {
            let month_end = NaiveDate::from_ymd_opt(2026, 7, 1).unwrap() - Months::new(back) - Days::new(1);
            let class = draw.pick(&["normal", "normal", "normal", "normal", "special_mention", "doubtful"]);
            book.add(
                "loan_months",
                &[
                    ("loan_id", &loan),
                    ("month_end", &month_end),
                    ("outstanding", &draw.pick(&[0, 900, 20_000])),
                    ("days_past_due", &draw.pick(&[0, 0, 0, 0, 0, 40, 95])),
                    ("risk_class", &class),
                ],
            );
        }
        for part in 1..=draw.between(0, 5) {
            let due = before - 60 * part;
            let paid = match draw.below(10) {
                0 => String::new(),
                1 => day(due - draw.between(1, 100)).to_string(),
                _ => day(due).to_string(),
            };
            book.add("instalments", &[("loan_id", &loan), ("due_on", &day(due)), ("paid_on", &paid)]);
        }
    }
}

pub fn add_conduct(book: &mut Book, draw: &mut Draw, household: &str) {
    for number in 0..draw.pick(&[0, 0, 1, 2]) {
        book.add(
            "conduct_events",
            &[
                ("event_id", &format!("{household}-{number}")),
                ("household_id", &household),
                ("points", &draw.pick(&["-3.5", "0", "10", "10", "41.5"])),
                ("status_on", &day(draw.between(-2, 380))),
                ("is_veto", &draw.has_chance(4)),
            ],
        );
    }
    for reviewer in 0..draw.pick(&[0, 0, 2, 3, 5]) {
        book.add(
            "peer_reviews",
            &[
                ("household_id", &household),
                ("reviewer_id", &format!("N{reviewer}")),
                ("reviewed_on", &day(draw.between(1, 700))),
                ("knows_household", &draw.has_chance(90)),
                ("score", &draw.pick(&["", "66.6", "80", "91.3", "100"])),
                ("is_veto", &draw.has_chance(4)),
            ],
        );
    }
    if draw.has_chance(40) {
        book.add(
            "outside_debts",
            &[
                ("household_id", &household),
                ("reported_on", &day(draw.between(1, 400))),
                ("outstanding", &draw.pick(&[0, 0, 4_000, 90_000])),
                ("overdue_count_24m", &draw.pick(&[0, 0, 1, 7])),
            ],
        );
    }
    if draw.has_chance(4) {
        let list = draw.pick(&["fraud", "dishonest_judgment", "other"]);
        let listed = day(draw.between(1, 400));
        book.add("watchlist", &[("household_id", &household), ("list_name", &list), ("listed_on", &listed)]);
    }
}

/// Decisions, two of them at the same moment now and then; a few lack what makes them sound.
pub fn add_decisions(book: &mut Book, draw: &mut Draw, household: &Household) {
    let actions: &[&str] = if household.is_served { &["accept"] } else { &["accept", "adjust", "decline", "suspend"] };
    let least = if household.is_served { 5_000 } else { 0 };
    let decided = moment(draw.between(-2, 300), 600);
    for number in 0..draw.pick(&[usize::from(household.is_served), 0, 1, 1, 1, 2]) {
        let expires = if draw.has_chance(15) { day(draw.between(-3, 3)).to_string() } else { String::new() };
        book.add(
            "decisions",
            &[
                ("decision_id", &format!("{}-{number}", household.id)),
                ("household_id", &household.id),
                ("decided_at", &written(decided)),
                ("approver_id", &draw.pick(&["R2", "R2", "R2", "R2", "R2", "R1", ""])),
                ("action", &draw.pick(actions)),
                ("grade", &draw.pick(&["AAA", "A", "B", "C"])),
                ("limit", &draw.pick(&[least, 6_000, 20_000, 20_000, 90_000])),
                ("expires_on", &expires),
            ],
        );
    }
}

/// A visit of any channel, near or far or nowhere, with a photo that may be another's, a device that may be another's,
/// too short now and then, and written down late now and then.
pub fn visit(
    draw: &mut Draw,
    id: &str,
    household: Option<&Household>,
    grid: &str,
    officer: &str,
    started: NaiveDateTime,
) -> Row {
    let ended = started + TimeDelta::minutes(draw.pick(&[2, 20, 20, 30, 30, 30, 30, 45, 45, 45, 45, 9_000]));
    let home = household.and_then(|household| household.home).unwrap_or((113.0, 29.0));
    let away = draw.pick(&[Some(0.0), Some(0.001), Some(0.001), Some(0.05), None]);
    let [longitude, latitude] = position(away.map(|away| (home.0 + away, home.1)));
    let photo = match draw.below(7) {
        0 => format!("shared-{}", draw.below(3)),
        1..5 => format!("own-{id}"),
        _ => String::new(),
    };
    let (level, status) = draw.pick(&ISSUES);
    let resolved = if status.starts_with("resolved") { written(ended + TimeDelta::days(3)) } else { String::new() };
    row(&[
        ("visit_id", &id),
        ("officer_id", &officer),
        ("grid_id", &grid),
        ("household_id", &household.map_or("", |household| household.id)),
        ("started_at", &written(started)),
        ("ended_at", &written(ended)),
        ("recorded_at", &written(ended + TimeDelta::hours(draw.pick(&[1, 1, 1, 9, 100])))),
        ("channel", &draw.pick(&["onsite", "onsite", "onsite", "onsite", "onsite", "phone", "online"])),
        ("longitude", &longitude),
        ("latitude", &latitude),
        ("photo_hash", &photo),
        ("device_id", &draw.pick(&["", "D0", "D0", "D1"])),
        ("issue_level", &level),
        ("issue_status", &status),
        ("issue_resolved_at", &resolved),
    ])
}

/// A complete profile of the as-of date.
pub fn fresh_profile(household: &str) -> Row {
    row(&[
        ("profile_id", &format!("{household}-fresh")),
        ("household_id", &household),
        ("officer_id", &""),
        ("profiled_on", &AS_OF),
        ("recorded_at", &written(moment(0, 1200))),
    ])
}
