//! An explanation as text for people: nine sections in the order in which a credit officer asks, aligned columns, no
//! line wider than a terminal of 100 columns. Says nothing that the explanation does not hold.

use crate::layout::{hanging, left, right};

use super::changes::Changes;
use super::decision_lines::DecisionLine;
use super::evidence::Source;
use super::fact_lines::FactLine;
use super::figures::Figure;
use super::limit_steps::{Computed, LimitSteps};
use super::points::{BlockPoints, CharacteristicPoints, PointsSheet};
use super::words::{ACTIONS, CARE_CATEGORIES, DECISION_STATES, FACT_NAMES, KINDS, Language, UNITS};
use super::{Explanation, RunHead};

/// The whole explanation.
pub fn in_words(explanation: &Explanation, language: Language) -> String {
    let mut page = Page { language, lines: Vec::new(), sections: 0 };
    page.household(explanation);
    page.heading("Outcome", "结果");
    page.paragraph(2, &explanation.outcome.text);
    page.facts(&explanation.facts);
    page.points(&explanation.points);
    page.reasons(explanation);
    page.heading("Grade", "等级");
    page.grade(explanation);
    page.limit(&explanation.limit);
    page.decisions(explanation);
    page.changes(&explanation.changes);
    page.lines.join("\n")
}

/// Columns of a label that stands before its text.
const LABEL: usize = 22;
/// Columns of the name of a fact or characteristic, by language: a Chinese name stands before the code.
const NAME: (usize, usize) = (31, 47);
const VALUE: usize = 16;
const BIN: usize = 20;

/// The lines written so far.
struct Page {
    language: Language,
    lines: Vec<String>,
    sections: usize,
}

impl Page {
    fn heading(&mut self, en: &str, zh: &str) {
        self.sections += 1;
        if !self.lines.is_empty() {
            self.lines.push(String::new());
        }
        self.lines.push(format!("{} {}", self.sections, self.language.pick(en, zh)));
    }

    /// Text at an indent, its further lines at the same.
    fn paragraph(&mut self, indent: usize, text: &str) {
        self.hanging(&" ".repeat(indent), text);
    }

    /// Text behind what begins its first line; further lines are indented as far.
    fn hanging(&mut self, start: &str, text: &str) {
        self.lines.extend(hanging(start, text));
    }

    fn labelled(&mut self, en: &str, zh: &str, text: &str) {
        let start = format!("  {}", left(self.language.pick(en, zh), LABEL));
        self.hanging(&start, text);
    }

    fn name_columns(&self) -> usize {
        self.language.pick(NAME.0, NAME.1)
    }

    /// A fact's name; in Chinese what it is called, and its code.
    fn fact_name(&self, fact: &str) -> String {
        self.language.pick(fact.to_string(), format!("{} {fact}", self.language.word(FACT_NAMES, fact)))
    }

    fn household(&mut self, explanation: &Explanation) {
        let (household, run) = (&explanation.household, &explanation.run);
        let language = self.language;
        self.heading("Household", "户");
        self.labelled("household", "户编号", &household.household_id);
        self.labelled("kind", "户类型", &language.word(KINDS, &household.kind));
        self.labelled("members", "人口", &household.member_count.to_string());
        self.labelled("care category", "关怀类别", &language.word(CARE_CATEGORIES, &household.care_category));
        let validity = match household.grid_is_valid {
            true => "",
            false => language.pick(
                " (not valid on this date: counts in no coverage or indicator)",
                "（当日无效，不计入覆盖率与指标）",
            ),
        };
        self.labelled("grid", "网格", &format!("{} {}{validity}", household.grid.id, household.grid.name));
        self.labelled("branch", "网点", &format!("{} {}", household.branch.id, household.branch.name));
        self.labelled("area", "行政区", &format!("{} {}", household.area.id, household.area.name));
        self.labelled("as-of date", "数据日期", &run.as_of);
        self.run(run);
    }

    fn run(&mut self, run: &RunHead) {
        let language = self.language;
        let none = language.pick("none", "无");
        let state = match (&run.published_run_id, run.has_changed) {
            (None, _) => language.pick("not published", "未发布").to_string(),
            (Some(_), false) => language.pick("published", "已发布").to_string(),
            (Some(published), true) => {
                language.pick(format!("published was {published}"), format!("已发布的为{published}"))
            }
        };
        self.labelled("run", "运行", &language.noted(&run.run_id, state));
        self.labelled("previous run", "上次运行", run.previous_run_id.as_deref().unwrap_or(none));
        if !run.has_changed {
            return;
        }
        let changed = language.pick(
            "The inputs or the rules have changed since the run was published. What follows is what they say now.",
            "运行发布后输入或规则已变化，以下为按现有输入和规则的结果。",
        );
        let said = match (&run.published_model_grade, run.published_suggested_limit) {
            (Some(grade), Some(limit)) => language.pick(
                format!("The published run said: model grade {grade}, suggested limit {limit}."),
                format!("已发布的运行：模型等级{grade}，建议额度{limit}。"),
            ),
            _ => language.pick("The published run had no such household.".into(), "已发布的运行无此户。".into()),
        };
        self.labelled("note", "注意", &format!("{changed}{}{said}", language.pick(" ", "")));
    }

    fn facts(&mut self, facts: &[FactLine]) {
        self.heading("Facts, and where they come from", "指标及来源");
        let mut before: Option<&FactLine> = None;
        for line in facts {
            let name = left(&self.fact_name(&line.fact), self.name_columns());
            let value = self.value(line.value);
            let unit = line.unit.as_deref().filter(|_| line.value.is_some());
            let unit = unit.map_or_else(String::new, |unit| self.language.word(UNITS, unit));
            self.lines.push(format!("  {name}{} {unit}", right(&value, VALUE)).trim_end().to_string());
            self.paragraph(6, first_clause(&line.meaning));
            self.sources(line, before);
            before = Some(line);
        }
    }

    /// What stands behind a fact; what already stands behind the one before is not said again.
    fn sources(&mut self, line: &FactLine, before: Option<&FactLine>) {
        let language = self.language;
        let again = language.pick("the same as above", "同上");
        for source in &line.sources {
            let is_same = |other: &Source| other.table == source.table && other.text == source.text;
            let is_again = before.is_some_and(|before| before.sources.iter().any(is_same));
            let table = source.table;
            let start = language.pick(format!("      from {table}: "), format!("      来源 {table}："));
            self.hanging(&start, if is_again { again } else { &source.text });
        }
        if let Some(remark) = &line.remark {
            let start = match line.value {
                None => language.pick("      not known: ", "      未知："),
                Some(_) => language.pick("      note: ", "      说明："),
            };
            let is_again = before.is_some_and(|before| before.remark.as_ref() == Some(remark));
            self.hanging(start, if is_again { again } else { remark });
        }
    }

    fn value(&self, value: Option<Figure>) -> String {
        value.map_or_else(|| "—".to_string(), |value| value.to_string())
    }

    fn points(&mut self, sheet: &PointsSheet) {
        let title = format!("Points by scorecard `{}`", sheet.scorecard_id);
        self.heading(&title, &format!("评分表 `{}` 得分", sheet.scorecard_id));
        for block in &sheet.blocks {
            self.block(block);
        }
        let (points, maximum, score) = (sheet.points, sheet.max_points, sheet.score);
        let total = self
            .language
            .pick("score: 100 × points / maximum of the blocks that count", "评分：100 × 得分 / 计分板块满分");
        self.hanging("  ", &format!("{total} = 100 × {points} / {maximum} = {score}"));
    }

    fn block(&mut self, block: &BlockPoints) {
        let off = if block.is_on {
            ""
        } else {
            self.language.pick(" (switched off, does not count)", "（已关闭，不计分）")
        };
        let name = left(&format!("{}{off}", block.name), self.name_columns() + VALUE + 2 + BIN);
        let sum = self.of(&block.points.to_string(), &block.max_points.to_string());
        self.lines.push(format!("  {name}{sum}").trim_end().to_string());
        for line in &block.characteristics {
            self.characteristic(line);
        }
    }

    fn characteristic(&mut self, line: &CharacteristicPoints) {
        let name = left(&format!("  {}", self.fact_name(&line.characteristic)), self.name_columns());
        // A value wider than its column takes what it needs from the bin's.
        let value = right(&self.value(line.value), VALUE);
        let value_and_bin = left(&format!("{value}  {}", line.bin), VALUE + 2 + BIN);
        let sum = self.of(&line.points.to_string(), &line.max_points.to_string());
        self.lines.push(format!("  {name}{value_and_bin}{sum}"));
    }

    /// Points of a maximum, in two columns.
    fn of(&self, points: &str, maximum: &str) -> String {
        format!("{}{}{}", right(points, 5), self.language.pick(" of ", " / "), right(maximum, 4))
    }

    fn reasons(&mut self, explanation: &Explanation) {
        self.heading("Reasons", "理由");
        if explanation.reasons.is_empty() {
            self.paragraph(
                2,
                self.language.pick("None: every characteristic has its best points.", "无：各评分项均为满分。"),
            );
        }
        for (number, reason) in explanation.reasons.iter().enumerate() {
            let code = if reason.kind == "shortfall" { String::new() } else { format!("{} ", reason.code) };
            self.hanging(&format!("  {} ", number + 1), &format!("{code}{}", reason.text));
        }
    }

    fn grade(&mut self, explanation: &Explanation) {
        let grade = &explanation.grade;
        let bands: Vec<String> = grade.scale.iter().map(|band| format!("{} ≥ {}", band.grade, band.at_least)).collect();
        let veto = self.language.pick(format!("veto {}", grade.veto_grade), format!("否决{}", grade.veto_grade));
        self.labelled("scale", "等级表", &format!("{} · {veto}", bands.join(" · ")));
        let none = self.language.pick("none", "无");
        self.labelled("previous grade", "上次等级", grade.previous_grade.as_deref().unwrap_or(none));
        for sentence in &grade.text {
            self.paragraph(2, sentence);
        }
        self.labelled("model grade", "模型等级", &grade.model_grade);
    }

    fn limit(&mut self, limit: &LimitSteps) {
        let language = self.language;
        self.heading("Limit, step by step", "额度测算");
        self.computed(&limit.model);
        let previous =
            limit.previous_limit.map_or_else(|| language.pick("none", "无").into(), |limit| limit.to_string());
        self.labelled("previous limit", "上次额度", &previous);
        self.labelled("hold", "保持", &limit.hold_text);
        self.labelled("suggested limit", "建议额度", &limit.suggested_limit.to_string());
        self.labelled("bound by", "约束", &language.noted(&limit.binding, &limit.binding_text));
        if let Some(recomputed) = &limit.recomputed {
            let grade = &recomputed.grade;
            let again = language.pick(format!("Computed anew for grade {grade}:"), format!("按等级{grade}重新计算："));
            self.paragraph(2, &again);
            self.computed(recomputed);
        }
        self.labelled("final limit", "最终额度", &language.noted(limit.final_limit, &limit.final_text));
        self.labelled("rate", "利率", &limit.rate_text);
        if let Some(months) = limit.term_months {
            self.labelled("term", "期限", &language.pick(format!("{months} months"), format!("{months}个月")));
        }
    }

    fn computed(&mut self, computed: &Computed) {
        let language = self.language;
        let rated = computed.caps.iter().any(|cap| cap.amount.is_some());
        if !rated {
            let grade = &computed.grade;
            self.paragraph(
                2,
                &language
                    .pick(format!("Grade {grade} has no caps and no limit."), format!("等级{grade}无上限、无额度。")),
            );
        }
        for cap in computed.caps.iter().filter(|_| rated) {
            let text = match (&cap.formula, cap.amount, &cap.unknown) {
                (Some(formula), Some(amount), _) => format!("= {formula} = {amount}"),
                (_, None, Some(unknown)) => unknown.clone(),
                (_, amount, _) => amount.map_or_else(String::new, |amount| format!("= {amount}")),
            };
            let mark = if cap.is_smallest { "→ " } else { "  " };
            self.hanging(&format!("{mark}{}", left(&cap.cap, LABEL)), &text);
        }
        let gross = computed.gross;
        let smallest = if computed.caps.iter().any(|cap| cap.is_smallest) {
            language.noted(gross, language.pick("the smallest cap", "最小上限"))
        } else {
            gross.to_string()
        };
        self.labelled("gross", "可授总额", &smallest);
        for line in &computed.deduction_lines {
            let amount = line.amount.to_string();
            let formula = if line.formula == amount { amount } else { format!("{} = {amount}", line.formula) };
            self.hanging(&format!("  − {} ", left(&line.deduction, 26)), &formula);
        }
        let deductions = if rated {
            computed.deductions.to_string()
        } else {
            language.noted(computed.deductions, language.pick("no limit to deduct from", "无额度可扣减"))
        };
        self.labelled("deductions", "扣减合计", &deductions);
        let Computed { gross, deductions, difference, step, minimum, rounded, .. } = computed;
        self.labelled("difference", "差额", &format!("{gross} − {deductions} = {difference}"));
        let rounding = language.pick(
            format!("down to a multiple of {step}, 0 below {minimum}"),
            format!("向下取整至{step}的倍数，低于{minimum}为0"),
        );
        self.labelled("rounded", "取整", &language.noted(rounded, rounding));
    }

    fn decisions(&mut self, explanation: &Explanation) {
        let language = self.language;
        self.heading("Decisions, and the last grade", "审批与上次等级");
        if explanation.decisions.is_empty() {
            self.paragraph(2, language.pick("No decision is known.", "无已知审批。"));
        }
        for decision in &explanation.decisions {
            self.decision(decision);
        }
        let grade = explanation.outcome.previous_grade.as_deref();
        let last = match (grade, explanation.outcome.previous_limit, &explanation.run.previous_run_id) {
            (Some(grade), Some(limit), Some(run)) => language.pick(
                format!("{grade}, suggested limit {limit}, in run {run}"),
                format!("{grade}，建议额度{limit}，运行{run}"),
            ),
            _ => language.pick("none", "无").to_string(),
        };
        self.labelled("last grade", "上次等级", &last);
    }

    fn decision(&mut self, decision: &DecisionLine) {
        let language = self.language;
        let state = language.word(DECISION_STATES, decision.state);
        let (action, colon) = (language.word(ACTIONS, &decision.action), language.pick(": ", "："));
        self.lines.push(format!("  {} {} {action}{colon}{state}", decision.decision_id, decision.decided_at));
        let limit = decision.limit.map(|limit| limit.to_string());
        let parts = [
            ("grade", "等级", decision.grade.as_ref()),
            ("limit", "额度", limit.as_ref()),
            ("overrides", "解除否决", decision.overrides.as_ref()),
            ("reviewer", "经办人", Some(&decision.reviewer_id)),
            ("approver", "审批人", decision.approver_id.as_ref()),
            ("expires on", "到期日", decision.expires_on.as_ref()),
            ("reason", "理由", decision.reason.as_ref()),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter_map(|(en, zh, text)| Some(language.pick(format!("{en} {}", text?), format!("{zh}{}", text?))))
            .collect();
        self.paragraph(6, &parts.join(language.pick(", ", "，")));
        if let (Some(rule), Some(text)) = (decision.rule, &decision.rule_text) {
            self.paragraph(
                6,
                &language.pick(format!("set aside by `{rule}`: {text}"), format!("因 `{rule}` 隔离：{text}")),
            );
        }
    }

    fn changes(&mut self, changes: &Changes) {
        let language = self.language;
        self.heading("What would raise the grade", "提升等级的单项变化");
        self.paragraph(2, &changes.text);
        for change in &changes.characteristics {
            let name = left(&self.fact_name(&change.characteristic), self.name_columns());
            let value =
                change.value.map_or_else(|| language.pick("not known", "未知").to_string(), |value| value.to_string());
            let (now, then) = (change.points.to_string(), change.points_then.to_string());
            let (score, grade) = (change.score_then, &change.grade_then);
            let effect = language.pick(
                format!("{value} → {}: {now} → {then} points, score {score}, {grade}", change.needed),
                format!("{value} → {}：{now} → {then}分，评分{score}，{grade}", change.needed),
            );
            self.hanging(&format!("  {name}"), &effect);
        }
        if !changes.not_enough.is_empty() {
            let listed = changes.not_enough.join(language.pick(", ", "、"));
            self.paragraph(
                2,
                &language.pick(format!("Not enough by itself: {listed}."), format!("单独不足：{listed}。")),
            );
        }
    }
}

/// A meaning up to its first semicolon: the rest says when the fact is 0 or null, and `wellfield rule` shows it.
fn first_clause(meaning: &str) -> &str {
    meaning.split([';', '；']).next().unwrap_or(meaning)
}
