//! How the score became the model's grade: the scale, the upgrade margin and the previous grade.
//! The grade of the score and the margin are asked of the grade stage again, with and without the previous grade.

use serde::Serialize;

use crate::fault::Result;
use crate::grade::with_margin;

use super::Subject;
use super::figures::Points;

/// From the score to the model's grade.
#[derive(Clone, Debug, Serialize)]
pub struct Grading {
    /// None where the household is not rateable.
    pub score: Option<Points>,
    /// Best first.
    pub scale: Vec<Band>,
    pub veto_grade: String,
    pub upgrade_margin: Points,
    /// What the score alone earns, before margin and vetoes.
    pub score_grade: Option<String>,
    pub previous_grade: Option<String>,
    pub previous_run_id: Option<String>,
    /// The upgrade margin held the grade back.
    pub grade_kept: bool,
    pub model_grade: String,
    /// The same in words, sentence by sentence.
    pub text: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Band {
    pub grade: String,
    pub at_least: Points,
}

impl Grading {
    pub fn of(subject: &Subject) -> Result<Grading> {
        let (grade, scale) = (subject.grade()?, &subject.rulebook.scale);
        let earned = grade.score.map(|score| with_margin(scale, score, None).0);
        let score_grade = earned.and_then(|place| scale.grades.get(place)).map(|band| band.grade.clone());
        let bands = scale.grades.iter();
        let bands = bands.map(|band| Band { grade: band.grade.clone(), at_least: Points(i64::from(band.at_least)) });
        let mut grading = Grading {
            score: grade.score.map(|score| Points(i64::from(score))),
            scale: bands.collect(),
            veto_grade: scale.veto_grade.clone(),
            upgrade_margin: Points(i64::from(scale.upgrade_margin)),
            score_grade,
            previous_grade: grade.previous_grade.as_deref().map(String::from),
            previous_run_id: subject.previous.run_id.clone(),
            grade_kept: grade.is_kept,
            model_grade: subject.ranks.name(grade.rank).into(),
            text: Vec::new(),
        };
        grading.text = grading.in_words(subject, earned)?;
        Ok(grading)
    }

    fn in_words(&self, subject: &Subject, earned: Option<usize>) -> Result<Vec<String>> {
        let language = subject.language;
        let mut text = Vec::new();
        if let (Some(score), Some(band)) = (self.score, earned.and_then(|place| self.scale.get(place))) {
            let Band { grade, at_least } = band;
            text.push(language.pick(
                format!("Score {score} earns {grade} (at least {at_least})."),
                format!("评分{score}对应{grade}（不低于{at_least}）。"),
            ));
        }
        if !subject.grade()?.vetoes.is_empty() {
            let veto_grade = &self.veto_grade;
            text.push(language.pick(
                format!("A veto gives {veto_grade}, whatever the score."),
                format!("存在一票否决，不论评分均为{veto_grade}。"),
            ));
        } else if let (Some(_), Some(earned)) = (self.score, earned) {
            text.push(self.margin_in_words(subject, earned));
        } else {
            text.push(language.pick("Not rateable: no score, grade NR.".into(), "不可评级：无评分，等级NR。".into()));
        }
        Ok(text)
    }

    fn margin_in_words(&self, subject: &Subject, earned: usize) -> String {
        let language = subject.language;
        let margin = self.upgrade_margin;
        let Some(earlier) = &self.previous_grade else {
            return language.pick(
                "No previous grade: the upgrade margin plays no part.".into(),
                "无上次等级，不适用升级缓冲。".into(),
            );
        };
        let Some(previous) = subject.ranks.find(earlier).and_then(|rank| subject.ranks.in_scale(rank)) else {
            return language.pick(
                format!("The previous grade {earlier} is not earned by a score: the upgrade margin plays no part."),
                format!("上次等级{earlier}并非评分所得，不适用升级缓冲。"),
            );
        };
        if earned >= previous {
            return language.pick(
                format!("Not better than the previous grade {earlier}: the upgrade margin plays no part."),
                format!("未优于上次等级{earlier}，不适用升级缓冲。"),
            );
        }
        let result = &self.model_grade;
        let better = self.scale.get(earned).map(|band| (band.grade.clone(), band.at_least));
        let (better, at_least) = better.unwrap_or((result.clone(), margin));
        let needed = Points(at_least.0 + margin.0);
        match self.grade_kept {
            true => language.pick(
                format!("Better than the previous grade {earlier}, but {better} then takes {needed} ({at_least} and \
                     the upgrade margin of {margin}): the grade is {result}."),
                format!("优于上次等级{earlier}，但升至{better}须达到{needed}（{at_least}加升级缓冲{margin}），故为{result}。"),
            ),
            false => language.pick(
                format!("Better than the previous grade {earlier}, and the {needed} that {better} then takes \
                     ({at_least} and the upgrade margin of {margin}) is reached: the grade is {result}."),
                format!("优于上次等级{earlier}，且已达到{better}所需的{needed}（{at_least}加升级缓冲{margin}），故为{result}。"),
            ),
        }
    }
}
