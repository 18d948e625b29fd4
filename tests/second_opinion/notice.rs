//! The public notice: white households that agreed to be named and whose grade a person accepted or
//! adjusted, for some days from the first night on which all of that holds with that grade.

use super::tables::{Notice, Table};
use super::{Night, Outcome};

pub fn public_notice(night: &Night) -> Table {
    let columns = ["area_id", "household_id", "masked_name", "final_grade", "notice_from", "notice_until"];
    let noticeable = night.outcomes.iter().filter(|outcome| is_noticeable(outcome));
    let mut rows: Vec<Vec<String>> = noticeable
        .filter_map(|outcome| {
            let household = outcome.evidence.household;
            let notice = notice_of(night, outcome)?;
            Some(vec![
                outcome.grid.area_id.clone(),
                household.household_id.clone(),
                masked(&household.head_name),
                outcome.final_result.grade.to_string(),
                notice.notice_from.to_string(),
                notice.notice_until.to_string(),
            ])
        })
        .collect();
    rows.sort();
    Table::new("public_notice", &columns, rows)
}

fn is_noticeable(outcome: &Outcome) -> bool {
    outcome.credit_list == "white"
        && outcome.evidence.household.notice_consent == Some(true)
        && ["accept", "adjust"].contains(&outcome.decision())
}

/// Where all of that held last night with the same grade, what is left of last night's notice; else
/// a new one.
fn notice_of(night: &Night, outcome: &Outcome) -> Option<Notice> {
    let household_id = &outcome.evidence.household.household_id;
    let before = night.previous.noticeable_grades.get(household_id);
    let notice = if before.is_some_and(|grade| grade == outcome.final_result.grade) {
        *night.previous.notices.get(household_id)?
    } else {
        Notice { notice_from: night.as_of, notice_until: night.as_of.plus_days(night.policy.notice_days) }
    };
    (night.as_of < notice.notice_until).then_some(notice)
}

/// First character, then one ＊ for each other, at least one.
fn masked(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters.next().map(String::from).unwrap_or_default();
    first + &"＊".repeat(characters.count().max(1))
}

#[cfg(test)]
mod tests {
    use super::super::examples::{bank, date, decision, profile, run_after, visit};
    use super::super::reading::Bank;
    use super::super::tables::Previous;
    use super::*;

    /// A visited household with an accepted grade C, which agreed to be named.
    fn accepted() -> Bank {
        let mut accept = decision("X1", "accept");
        accept.grade = Some("C".to_string());
        accept.limit = Some(1_000_000);
        let mut bank = Bank {
            profiles: Some(vec![profile("2026-01-01")]),
            visits: vec![visit("V1", "2026-06-01T09:00:00", "2026-06-01T09:30:00")],
            decisions: Some(vec![accept]),
            ..bank()
        };
        bank.households[0].head_name = "欧阳某".to_string();
        bank.households[0].notice_consent = Some(true);
        bank
    }

    fn rows_after(bank: Bank, previous: Option<&Previous>) -> Vec<String> {
        let tables = run_after(bank, previous);
        tables["public_notice"].rows.iter().map(|row| row.join(" ")).collect()
    }

    fn previous(grade: &str, notice: Option<(&str, &str)>) -> Previous {
        let notice = notice.map(|(from, until)| Notice { notice_from: date(from), notice_until: date(until) });
        Previous {
            noticeable_grades: [("H1".to_string(), grade.to_string())].into(),
            notices: notice.map(|notice| ("H1".to_string(), notice)).into_iter().collect(),
            ..Previous::default()
        }
    }

    #[test]
    fn the_first_night_begins_a_notice() {
        let expected = ["A1 H1 欧＊＊ C 2026-06-30 2026-07-05"];
        assert_eq!(rows_after(accepted(), None), expected);
        let other_grade = previous("B", Some(("2026-06-29", "2026-07-04")));
        assert_eq!(rows_after(accepted(), Some(&other_grade)), expected);
    }

    #[test]
    fn a_running_notice_keeps_its_dates_until_it_ends() {
        let running = previous("C", Some(("2026-06-26", "2026-07-01")));
        assert_eq!(rows_after(accepted(), Some(&running)), ["A1 H1 欧＊＊ C 2026-06-26 2026-07-01"]);
        let ending = previous("C", Some(("2026-06-25", "2026-06-30")));
        assert_eq!(rows_after(accepted(), Some(&ending)), [""; 0]);
        let over = previous("C", None);
        assert_eq!(rows_after(accepted(), Some(&over)), [""; 0]);
    }

    #[test]
    fn nobody_is_named_without_consent_decision_and_white_list() {
        let without = |change: fn(&mut Bank)| {
            let mut bank = accepted();
            change(&mut bank);
            rows_after(bank, None).len()
        };
        assert_eq!(without(|_| {}), 1);
        assert_eq!(without(|bank| bank.households[0].notice_consent = None), 0);
        assert_eq!(without(|bank| bank.households[0].notice_consent = Some(false)), 0);
        assert_eq!(without(|bank| bank.decisions = None), 0);
        assert_eq!(without(|bank| bank.visits = Vec::new()), 0);
        // A household whose grid is not valid may still be named.
        assert_eq!(without(|bank| bank.grids[0].valid_to = Some(date("2026-06-30"))), 1);
    }

    #[test]
    fn a_name_of_one_character_is_masked_too() {
        assert_eq!(masked("王"), "王＊");
        assert_eq!(masked("王五"), "王＊");
        assert_eq!(masked("Li Si"), "L＊＊＊＊");
    }
}
