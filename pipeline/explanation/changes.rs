//! Which single changes would raise the model's grade: one fact at a time, all others as they are; one veto, where it
//! alone stands in the way; a new profile, where the household cannot be rated. Points, score and grade of each are
//! computed by the stages, on the changed points.

use serde::Serialize;

use crate::facts::FactValue;
use crate::fault::{Error, Result};
use crate::grade::with_margin;
use crate::rulebook::{Characteristic, GradeScale, Scorecard, Veto, VetoCondition};
use crate::score::{bin_of, is_on, share_of_100, sums};

use super::Subject;
use super::figures::{Figure, Points};
use super::points::bin_in_words;
use super::reasons::not_rateable_in_words;

/// What would raise the grade.
#[derive(Clone, Debug, Serialize)]
pub struct Changes {
    /// In the order of the scorecard; each lifts the grade by itself.
    pub characteristics: Vec<Change>,
    /// Characteristics below their best bin that do not lift the grade by themselves.
    pub not_enough: Vec<String>,
    pub without_veto: Option<WithoutVeto>,
    pub when_rateable: Option<WhenRateable>,
    /// In one or two sentences; says so plainly when no single change raises the grade.
    pub text: String,
}

/// The least change of one fact that lifts the grade.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    pub characteristic: String,
    pub value: Option<Figure>,
    /// The bin to reach, in words.
    pub needed: String,
    pub points: Points,
    pub points_then: Points,
    pub score_then: Points,
    pub grade_then: String,
}

/// The one veto that stands in the way.
#[derive(Clone, Debug, Serialize)]
pub struct WithoutVeto {
    pub veto: String,
    /// What would end it.
    pub ends_when: String,
    /// None where the household would then not be rateable.
    pub score: Option<Points>,
    pub grade_then: String,
}

/// A complete profile made on the as-of date, all other facts as they are.
#[derive(Clone, Debug, Serialize)]
pub struct WhenRateable {
    pub missing: Vec<String>,
    pub score_then: Points,
    pub grade_then: String,
}

impl Changes {
    pub fn of(subject: &Subject) -> Result<Changes> {
        let grade = subject.grade()?;
        let mut changes = Changes {
            characteristics: Vec::new(),
            not_enough: Vec::new(),
            without_veto: None,
            when_rateable: None,
            text: String::new(),
        };
        let vetoes: Vec<&Veto> = subject.vetoes()?.collect();
        changes.text = match (vetoes.as_slice(), subject.ranks.in_scale(grade.rank)) {
            ([veto], _) => changes.add_veto(subject, veto)?,
            ([_, _, ..], _) => subject.language.pick(
                format!("None: {} vetoes stand in the way, and no single change ends them all.", vetoes.len()),
                format!("无：存在{}项一票否决，任何单项变化都不能全部消除。", vetoes.len()),
            ),
            ([], None) => changes.add_profile(subject)?,
            ([], Some(place)) => changes.add_characteristics(subject, place)?,
        };
        Ok(changes)
    }

    fn add_characteristics(&mut self, subject: &Subject, place: usize) -> Result<String> {
        let language = subject.language;
        if place == 0 {
            return Ok(language.pick("None: the grade is already the best.".into(), "无：已是最高等级。".into()));
        }
        let (card, points) = (subject.card()?, &subject.score()?.points);
        let ladder = Ladder { card, points, scale: &subject.rulebook.scale, previous: previous(subject), place };
        for (position, characteristic) in card.characteristics.iter().enumerate() {
            let is_short = points.get(position).is_some_and(|&points| points < characteristic.max_points());
            if !is_short || !is_on(card, characteristic) {
                continue;
            }
            let value = subject.value(&characteristic.fact);
            let Some(step) = ladder.least_step(position, characteristic, value)? else {
                self.not_enough.push(characteristic.fact.clone());
                continue;
            };
            let needed = bin_in_words(characteristic, step.bin, language)?;
            self.characteristics.push(Change {
                characteristic: characteristic.fact.clone(),
                value: value.map(|value| Figure::of(&characteristic.fact, value)),
                needed,
                points: Points(i64::from(points.get(position).copied().unwrap_or(0))),
                points_then: Points(i64::from(step.points)),
                score_then: Points(i64::from(step.score)),
                grade_then: grade_name(subject, step.place),
            });
        }
        Ok(match self.characteristics.len() {
            0 => language.pick(
                "None: no change of one fact alone lifts the grade.".into(),
                "无：任何单项指标的变化都不足以提升等级。".into(),
            ),
            _ => language.pick(
                "Each of these by itself, all other facts as they are, lifts the grade:".into(),
                "以下任一单项变化（其他指标不变）即可提升等级：".into(),
            ),
        })
    }

    fn add_veto(&mut self, subject: &Subject, veto: &Veto) -> Result<String> {
        let language = subject.language;
        let grade = subject.grade()?;
        let score = grade.score.map(|score| Points(i64::from(score)));
        let grade_then = match grade.score {
            Some(score) => grade_name(subject, with_margin(&subject.rulebook.scale, score, previous(subject)).0),
            None => subject.ranks.name(subject.ranks.not_rateable()).to_string(),
        };
        let ends_when = match &veto.condition {
            VetoCondition::Watchlist { list_name } => {
                language.pick(format!("delisted from `{list_name}`"), format!("从 `{list_name}` 名单移出"))
            }
            VetoCondition::AtLeast { fact, bound } => {
                language.pick(format!("{fact} below {bound}"), format!("{fact} 低于{bound}"))
            }
            VetoCondition::MoreThan { fact, bound } => {
                language.pick(format!("{fact} at most {bound}"), format!("{fact} 不高于{bound}"))
            }
        };
        let code = &veto.code;
        let text = match score {
            Some(score) => language.pick(
                format!(
                    "{code} alone stands in the way ({ends_when} ends it): without it the grade would be {grade_then} \
                     (score {score})."
                ),
                format!("仅{code}一项否决（{ends_when}即消除）：若无此项，等级为{grade_then}（评分{score}）。"),
            ),
            None => {
                let missing = missing(subject)?.join(language.pick("; ", "；"));
                language.pick(
                    format!(
                        "None: without {code} ({ends_when} ends it) the household would still be {grade_then}: \
                         {missing}."
                    ),
                    format!("无：即使没有{code}（{ends_when}即消除），仍为{grade_then}：{missing}。"),
                )
            }
        };
        self.without_veto = Some(WithoutVeto { veto: code.clone(), ends_when, score, grade_then });
        Ok(text)
    }

    fn add_profile(&mut self, subject: &Subject) -> Result<String> {
        let language = subject.language;
        let card = subject.card()?;
        let mut points = subject.score()?.points.to_vec();
        for (characteristic, points) in card.characteristics.iter().zip(&mut points) {
            if characteristic.fact == "profile_age_days" {
                let bin = bin_of(characteristic, Some(FactValue::Whole(0)))?;
                *points = bin.and_then(|bin| characteristic.bins.get(bin)).map_or(*points, |bin| bin.points);
            }
        }
        let (earned, maximum) = sums(card, &points);
        let score = share_of_100(earned, maximum);
        let grade_then = grade_name(subject, with_margin(&subject.rulebook.scale, score, previous(subject)).0);
        let missing = missing(subject)?;
        let (listed, score_then) = (missing.join(language.pick("; ", "；")), Points(i64::from(score)));
        let text = language.pick(
            format!(
                "A complete profile made on the as-of date ({listed}): with all other facts as they are the grade \
                 would be {grade_then} (score {score_then}); what the new profile says may change that."
            ),
            format!(
                "于数据日期重新完整建档（{listed}）：其他指标不变时等级为{grade_then}（评分{score_then}）；\
                 以新建档内容为准。"
            ),
        );
        self.when_rateable = Some(WhenRateable { missing, score_then, grade_then });
        Ok(text)
    }
}

/// The previous run's place in the scale, which the upgrade margin looks at.
fn previous(subject: &Subject) -> Option<usize> {
    subject
        .earlier()
        .and_then(|earlier| subject.ranks.find(&earlier.model_grade))
        .and_then(|rank| subject.ranks.in_scale(rank))
}

fn grade_name(subject: &Subject, place: usize) -> String {
    subject.rulebook.scale.grades.get(place).map_or_else(String::new, |band| band.grade.clone())
}

fn missing(subject: &Subject) -> Result<Vec<String>> {
    Ok(subject.grade()?.not_rateable.iter().map(|reason| not_rateable_in_words(subject, reason.name())).collect())
}

/// The household's points, of which one characteristic's are changed at a time.
struct Ladder<'a> {
    card: &'a Scorecard,
    points: &'a [i32],
    scale: &'a GradeScale,
    previous: Option<usize>,
    /// The place of its grade in the scale.
    place: usize,
}

/// A bin of one characteristic that lifts the grade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    bin: usize,
    points: i32,
    score: i32,
    place: usize,
}

impl Ladder<'_> {
    /// The nearest better bin that lifts the grade. Bins stand best first, so the nearest is the last of them.
    fn least_step(&self, position: usize, own: &Characteristic, value: Option<FactValue>) -> Result<Option<Step>> {
        let now = *self.points.get(position).ok_or_else(|| Error::internal("a characteristic has no points"))?;
        // A value that is not known may turn out to be in any bin.
        let above = bin_of(own, value)?.unwrap_or(own.bins.len());
        let better = own.bins.iter().enumerate().take(above).rev().filter(|(_, bin)| bin.points > now);
        for (bin, points) in better.map(|(bin, found)| (bin, found.points)) {
            let mut changed = self.points.to_vec();
            if let Some(slot) = changed.get_mut(position) {
                *slot = points;
            }
            let (earned, maximum) = sums(self.card, &changed);
            let score = share_of_100(earned, maximum);
            let (place, _) = with_margin(self.scale, score, self.previous);
            if place < self.place {
                return Ok(Some(Step { bin, points, score, place }));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal::Decimal;
    use crate::rulebook::{Bin, Block, Direction, Grade, Wording};

    fn bins(of: &[(&str, i32)]) -> Vec<Bin> {
        of.iter().map(|&(bound, points)| Bin { bound: Decimal::parse(bound), points }).collect()
    }

    /// Two characteristics of 60 and 40 points.
    fn card() -> Scorecard {
        let characteristic = |fact: &str, direction, of: &[(&str, i32)], missing_points| Characteristic {
            fact: fact.into(),
            block: 0,
            direction,
            bins: bins(of),
            missing_points,
        };
        let name = Wording { en: "Character".into(), zh: "品行".into() };
        Scorecard {
            id: "card".into(),
            kinds: Vec::new(),
            blocks: vec![Block { id: "character".into(), name, max_points: 1000, is_on: true }],
            characteristics: vec![
                characteristic("on_time_share_24m", Direction::AtLeast, &[("0.9", 600), ("0.5", 300), ("", 0)], 100),
                characteristic(
                    "delay_days_max_24m",
                    Direction::AtMost,
                    &[("0", 400), ("30", 390), ("90", 200), ("", 0)],
                    0,
                ),
            ],
        }
    }

    fn scale() -> GradeScale {
        let grades = [("A", 700), ("B", 500), ("C", 0)];
        GradeScale {
            grades: grades.map(|(grade, at_least)| Grade { grade: grade.into(), at_least }).to_vec(),
            veto_grade: "D".into(),
            upgrade_margin: 20,
        }
    }

    /// Bin and score of the least step of a characteristic that lifts the grade.
    fn least(
        points: &[i32],
        previous: Option<usize>,
        position: usize,
        value: Option<FactValue>,
    ) -> Option<(usize, i32)> {
        let (card, scale) = (card(), scale());
        let (earned, maximum) = sums(&card, points);
        let (place, _) = with_margin(&scale, share_of_100(earned, maximum), previous);
        let ladder = Ladder { card: &card, points, scale: &scale, previous, place };
        let step = ladder.least_step(position, &card.characteristics[position], value).unwrap();
        step.map(|step| (step.bin, step.score))
    }

    #[test]
    fn the_nearest_bin_that_lifts_is_the_least_change() {
        // 300 + 200 is B; 690 would not be A, 700 is.
        let points = [300, 200];
        assert_eq!(least(&points, None, 1, Some(FactValue::Whole(60))), Some((0, 700)));
        assert_eq!(least(&points, None, 0, Some(FactValue::Ratio(0.6))), Some((0, 800)));
        // 0 + 200 is C: half on time is enough for B.
        assert_eq!(least(&[0, 200], None, 0, Some(FactValue::Ratio(0.1))), Some((1, 500)));
    }

    #[test]
    fn the_upgrade_margin_asks_for_more() {
        // After C a B takes 520.
        assert_eq!(least(&[0, 200], Some(2), 0, Some(FactValue::Ratio(0.1))), Some((0, 800)));
        // After B an A takes 720, which the last 10 points of delay do not reach.
        assert_eq!(least(&[300, 390], Some(1), 1, Some(FactValue::Whole(5))), None);
        assert_eq!(least(&[300, 390], None, 1, Some(FactValue::Whole(5))), Some((0, 700)));
    }

    #[test]
    fn a_missing_value_may_reach_any_bin_with_more_points() {
        assert_eq!(least(&[100, 390], None, 0, None), Some((1, 690)));
        assert_eq!(least(&[600, 0], None, 1, None), Some((2, 800)));
    }

    #[test]
    fn nothing_lifts_what_is_far_away() {
        assert_eq!(least(&[0, 0], None, 1, Some(FactValue::Whole(100))), None);
    }
}
