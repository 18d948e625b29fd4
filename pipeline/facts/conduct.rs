//! Facts from the household's standing with its neighbours: conduct points that were posted, and back-to-back reviews.

use std::cmp::Reverse;
use std::sync::Arc;

use arrow::array::{Float64Array, Int64Array};

use crate::calendar::Window;
use crate::clean::typed::{PeerReviews, Rows as _};
use crate::fault::Result;

use super::{Columns, Evidence, counts};

pub fn measure_peers(evidence: &Evidence) -> Result<Columns> {
    Ok(match &evidence.tables.peer_reviews {
        Some(reviews) => peers(evidence, reviews),
        None => vec![
            ("peer_review_count", evidence.absent_whole()),
            ("peer_score", evidence.absent_ratio()),
            ("peer_vetoes", evidence.absent_whole()),
        ],
    })
}

pub fn measure(evidence: &Evidence) -> Result<Columns> {
    let Some(events) = &evidence.tables.conduct_events else {
        return Ok(vec![
            ("conduct_points_12m", evidence.absent_whole()),
            ("conduct_points_per_member_12m", evidence.absent_ratio()),
            ("conduct_vetoes_12m", evidence.absent_whole()),
        ]);
    };
    let posted = evidence.contracts.input("conduct_events")?.word_code("status", "posted")?;
    let window = Window::months_to(evidence.register.as_of, 12);
    let mut tenths: Vec<Option<i128>> = vec![None; evidence.register.len()];
    let mut vetoes = vec![0_u32; evidence.register.len()];
    for row in 0..events.rows {
        let counts =
            events.status.get(row) == Some(posted) && events.status_on.get(row).is_some_and(|day| window.contains(day));
        let Some(household) = evidence.household(events.household_id.get(row)).filter(|_| counts) else { continue };
        if let (Some(sum), Some(count)) = (tenths.get_mut(household), vetoes.get_mut(household)) {
            *sum = Some(sum.unwrap_or(0) + i128::from(events.points.get(row).unwrap_or(0)));
            *count += u32::from(events.is_veto.get(row) == Some(true));
        }
    }
    let per_member: Float64Array = tenths
        .iter()
        .enumerate()
        .map(|(household, sum)| Some((*sum)? as f64 / (10 * evidence.member_count(household)) as f64))
        .collect();
    Ok(vec![
        ("conduct_points_12m", evidence.whole("conduct_points_12m", tenths.into_iter())?),
        ("conduct_points_per_member_12m", Arc::new(per_member)),
        ("conduct_vetoes_12m", counts(vetoes)),
    ])
}

/// The latest review of each reviewer in W(24), of those who know the household.
fn peers(evidence: &Evidence, reviews: &PeerReviews) -> Columns {
    let window = Window::months_to(evidence.register.as_of, 24);
    let by_whom = |row: usize| (reviews.household_id.get(row), reviews.reviewer_id.text(row));
    let is_known = |&row: &usize| reviews.reviewed_on.get(row).is_some_and(|day| window.contains(day));
    let mut known: Vec<usize> = (0..reviews.rows).filter(is_known).collect();
    // Exports mostly stand in the order of their key, and are looked through once then. Of a reviewer's reviews of a
    // household on one day the first row is the last here.
    let order = |row: usize| (by_whom(row), reviews.reviewed_on.get(row), Reverse(row));
    known.sort_unstable_by(|&one, &other| order(one).cmp(&order(other)));
    let latest = known.chunk_by(|&one, &other| by_whom(one) == by_whom(other)).filter_map(|of_one| of_one.last());
    let households = evidence.register.len();
    let (mut count, mut vetoes, mut tenths) =
        (vec![0_u32; households], vec![0_u32; households], vec![0_i64; households]);
    for &row in latest {
        let Some(household) = evidence.household(reviews.household_id.get(row)) else { continue };
        if reviews.knows_household.get(row) != Some(true) {
            continue;
        }
        if let Some(vetoes) = vetoes.get_mut(household) {
            *vetoes += u32::from(reviews.is_veto.get(row) == Some(true));
        }
        if let (Some(score), Some(count), Some(sum)) =
            (reviews.score.get(row), count.get_mut(household), tenths.get_mut(household))
        {
            *count += 1;
            *sum += score;
        }
    }
    let least = evidence.rules.peer_reviews_min;
    let score: Float64Array = count
        .iter()
        .zip(&tenths)
        .map(|(&count, &sum)| (count > 0 && count >= least).then(|| sum as f64 / (10 * i64::from(count)) as f64))
        .collect();
    vec![
        ("peer_review_count", counts(count)),
        ("peer_score", Arc::new(score)),
        ("peer_vetoes", Arc::new(vetoes.into_iter().map(|count| Some(i64::from(count))).collect::<Int64Array>())),
    ]
}
