//! What people decided: accepted, adjusted, declined or suspended, most of it soundly, some of it expired or still to
//! come. A few decisions break one of the rules for decisions each, so that every one of those rules has something to
//! set aside. A decision is drawn last, because a sound one must name the vetoes that it overrides.

use super::households::{Household, Vetoes};
use super::layout::Grid;
use super::random::{Random, Subject};
use super::tables::Tables;
use super::{Setting, moment};
use crate::calendar::Date;

/// What the sample bank's people grant with each grade, in yuan: under what its rulebook allows.
const GRANTED: [(&str, i64); 5] = [("AAA", 160_000), ("AA", 110_000), ("A", 70_000), ("B", 35_000), ("C", 12_000)];

const REASONS: [&str; 6] = [
    "实地核实经营状况良好",
    "新增大棚设施，收入提高",
    "家庭负债上升，从严掌握",
    "资料待补充",
    "客户申请",
    "近期有逾期记录",
];

#[derive(Default)]
struct Decision<'a> {
    day: Option<Date>,
    has_approver: bool,
    approver_is_reviewer: bool,
    action: &'static str,
    grade: Option<&'static str>,
    /// In cents.
    limit: Option<i64>,
    overrides: Option<&'a str>,
    reason: Option<&'static str>,
    expires_on: Option<Date>,
}

pub fn write(setting: &Setting, grid: &Grid, household: &Household, tables: &mut Tables) {
    let mut random = Random::of(setting.seed, Subject::Decisions, household.number);
    let vetoes = &household.vetoes;
    if !random.chance(if vetoes.any() { 450 } else { 260 }) {
        return;
    }
    let overrides = vetoes.overridable();
    let days_ago = random.between(0, 420);
    let mut days = vec![setting.days_before(days_ago)];
    if random.chance(80) {
        days.insert(0, setting.days_before(days_ago + random.between(30, 300)));
    }
    if random.chance(12) {
        days.push(setting.days_after(random.between(1, 60)));
    }
    for (position, day) in days.into_iter().enumerate() {
        let mut decision =
            if vetoes.any() { on_vetoed(vetoes, &overrides, &mut random) } else { on_usual(household, &mut random) };
        decision.day = Some(day);
        decision.expires_on =
            random.weighted(&[(700, Some(365)), (150, Some(180)), (150, None)]).map(|days| Date(day.0 + days));
        if !vetoes.any() && random.chance(25) {
            break_a_rule(&mut decision, household, &mut random);
        }
        decision.write(setting, grid, household, position + 1, &mut random, tables);
    }
}

impl Decision<'_> {
    fn write(
        &self,
        setting: &Setting,
        grid: &Grid,
        household: &Household,
        number: usize,
        random: &mut Random,
        tables: &mut Tables,
    ) {
        let decision_id = format!("D{:0width$}-{number}", household.number, width = setting.widths.household);
        let reviewer_id = format!("R{}-1", grid.branch_id);
        let approver_id = format!("R{}-2", grid.branch_id);
        let approver = if self.approver_is_reviewer { &reviewer_id } else { &approver_id };
        let decided_at = self.day.map(|day| moment(day, random.between(8 * 3_600, 18 * 3_600)));
        let rows = tables.decisions.text(decision_id.as_str()).text(household.id.as_str()).time(decided_at);
        rows.text(reviewer_id.as_str()).text(self.has_approver.then_some(approver.as_str())).text(self.action);
        rows.text(self.grade).decimal(self.limit).text(self.overrides).text(self.reason).date(self.expires_on);
    }
}

/// A household that nothing stands against.
fn on_usual<'a>(household: &Household, random: &mut Random) -> Decision<'a> {
    let (grade, granted) = expected(household);
    match random.below(100) {
        0..60 => Decision {
            action: "accept",
            has_approver: random.chance(300),
            grade: Some(grade),
            limit: Some(granted * random.between(60, 130) / 100 / 1_000 * 100_000),
            ..Decision::default()
        },
        60..80 => adjust(random),
        80..90 => refuse("decline", random),
        _ => refuse("suspend", random),
    }
}

fn on_vetoed<'a>(vetoes: &Vetoes, overrides: &'a str, random: &mut Random) -> Decision<'a> {
    let draw = random.below(100);
    match draw {
        // Some try to override what may not be, or forget to name what they override.
        0..12 => adjust(random),
        12..45 if vetoes.may_be_overridden() => Decision { overrides: Some(overrides), ..adjust(random) },
        _ if draw % 3 == 0 => refuse("suspend", random),
        _ => refuse("decline", random),
    }
}

fn adjust<'a>(random: &mut Random) -> Decision<'a> {
    let (grade, granted) = random.pick(&GRANTED);
    // A limit alone would lack its grade; a grade alone leaves the limit to the rules.
    let limit = random.chance(600).then(|| granted * random.between(40, 100) / 100 / 1_000 * 100_000);
    Decision {
        action: "adjust",
        has_approver: true,
        grade: Some(grade),
        limit,
        reason: Some(random.pick(&REASONS)),
        ..Decision::default()
    }
}

fn refuse<'a>(action: &'static str, random: &mut Random) -> Decision<'a> {
    Decision { action, has_approver: true, reason: Some(random.pick(&REASONS)), ..Decision::default() }
}

/// One unsound decision of each kind that needs no veto.
fn break_a_rule(decision: &mut Decision, household: &Household, random: &mut Random) {
    let (grade, granted) = expected(household);
    let kind = random.below(8);
    if kind != 3 {
        *decision = Decision { day: decision.day, expires_on: decision.expires_on, ..adjust(random) };
        decision.grade = Some(grade);
        decision.limit = Some(granted * 100);
    }
    match kind {
        0 => decision.has_approver = false,
        1 => decision.approver_is_reviewer = true,
        2 => decision.reason = Some("   "),
        3 => {
            decision.action = "accept";
            decision.grade = None;
        }
        4 => (decision.grade, decision.limit) = (None, None),
        5 => decision.grade = None,
        6 => decision.grade = Some("A+"),
        _ => decision.limit = Some(granted * 1_000),
    }
}

/// The grade and amount, in yuan, that an experienced officer expects of a household.
fn expected(household: &Household) -> (&'static str, i64) {
    let position = match household.quality {
        850.. => 0,
        680..850 => 1,
        500..680 => 2,
        330..500 => 3,
        _ => 4,
    };
    GRANTED.get(position).copied().unwrap_or_default()
}

impl Vetoes {
    pub fn any(&self) -> bool {
        self.on_watchlist || self.past_due || self.bad_class || self.conduct || self.peers
    }

    /// Lists and present arrears are beyond anybody's discretion.
    fn may_be_overridden(&self) -> bool {
        !self.on_watchlist && !self.past_due
    }

    /// The codes of the vetoes that may be overridden, as a decision names them.
    fn overridable(&self) -> String {
        let codes = [(self.bad_class, "V05_bad_class_12m"), (self.conduct, "V06_conduct"), (self.peers, "V07_peers")];
        let named: Vec<&str> = codes.iter().filter(|(stands, _)| *stands).map(|(_, code)| *code).collect();
        named.join("|")
    }
}
