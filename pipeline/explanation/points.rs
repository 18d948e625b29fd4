//! Points by characteristic, grouped by block, with the bin that each value hit; and how they make the score.
//! Points, bins and score are those of the score stage.

use serde::Serialize;

use crate::fault::{Error, Result};
use crate::rulebook::{Characteristic, Direction, FactKind, kind_of};
use crate::score;

use super::Subject;
use super::figures::{Figure, Points, grouped};
use super::words::Language;

/// The household's scorecard, filled in.
#[derive(Clone, Debug, Serialize)]
pub struct PointsSheet {
    pub scorecard_id: String,
    pub blocks: Vec<BlockPoints>,
    /// Over the blocks that are on.
    pub points: Points,
    pub max_points: Points,
    /// 100 × points / max_points, also where the household is not rated.
    pub score: Points,
}

#[derive(Clone, Debug, Serialize)]
pub struct BlockPoints {
    pub block: String,
    pub name: String,
    /// A block that is switched off does not count.
    pub is_on: bool,
    pub points: Points,
    pub max_points: Points,
    pub characteristics: Vec<CharacteristicPoints>,
}

#[derive(Clone, Debug, Serialize)]
pub struct CharacteristicPoints {
    pub characteristic: String,
    pub value: Option<Figure>,
    pub is_missing: bool,
    /// The bin that was hit, in words; for a missing value that it is missing.
    pub bin: String,
    pub points: Points,
    pub max_points: Points,
}

impl PointsSheet {
    pub fn of(subject: &Subject) -> Result<PointsSheet> {
        let (card, scored) = (subject.card()?, subject.score()?);
        let mut blocks = Vec::new();
        for (position, block) in card.blocks.iter().enumerate() {
            let own = card.characteristics.iter().zip(scored.points).filter(|(own, _)| own.block == position);
            let lines = own.map(|(characteristic, &points)| line(subject, characteristic, points));
            let characteristics = lines.collect::<Result<Vec<_>>>()?;
            blocks.push(BlockPoints {
                block: block.id.clone(),
                name: subject.language.pick(&block.name.en, &block.name.zh).clone(),
                is_on: block.is_on,
                points: Points(characteristics.iter().map(|line| line.points.0).sum()),
                max_points: Points(i64::from(block.max_points)),
                characteristics,
            });
        }
        let (earned, maximum) = score::sums(card, scored.points);
        Ok(PointsSheet {
            scorecard_id: card.id.clone(),
            blocks,
            points: Points(earned),
            max_points: Points(maximum),
            score: Points(i64::from(scored.score)),
        })
    }
}

fn line(subject: &Subject, characteristic: &Characteristic, points: i32) -> Result<CharacteristicPoints> {
    let value = subject.value(&characteristic.fact);
    let bin = match score::bin_of(characteristic, value)? {
        Some(bin) => bin_in_words(characteristic, bin, subject.language)?,
        None => subject.language.pick("missing", "缺失").to_string(),
    };
    Ok(CharacteristicPoints {
        characteristic: characteristic.fact.clone(),
        value: value.map(|value| Figure::of(&characteristic.fact, value)),
        is_missing: value.is_none(),
        bin,
        points: Points(i64::from(points)),
        max_points: Points(i64::from(characteristic.max_points())),
    })
}

/// A bin as people read it: "at least 0.9"; the last bin by the bound that its values miss.
pub fn bin_in_words(characteristic: &Characteristic, bin: usize, language: Language) -> Result<String> {
    let bounds: Vec<_> = characteristic.bins.iter().take(bin + 1).map(|bin| bin.bound).collect();
    let own = bounds.last().copied().ok_or_else(|| Error::internal("a bin is missing"))?;
    let (is_last, bound) = match (own, bounds.iter().rev().find_map(|bound| *bound)) {
        (Some(bound), _) => (false, bound),
        (None, Some(above)) => (true, above),
        (None, None) => return Ok(language.pick("any value", "任意值").into()),
    };
    let is_grouped = kind_of(&characteristic.fact) == FactKind::Money;
    let bound = if is_grouped { grouped(&bound.to_string()) } else { bound.to_string() };
    Ok(match (characteristic.direction, is_last) {
        (Direction::AtLeast, false) => language.pick(format!("at least {bound}"), format!("不低于{bound}")),
        (Direction::AtMost, false) => language.pick(format!("at most {bound}"), format!("不高于{bound}")),
        (Direction::AtLeast, true) => language.pick(format!("below {bound}"), format!("低于{bound}")),
        (Direction::AtMost, true) => language.pick(format!("above {bound}"), format!("高于{bound}")),
    })
}
