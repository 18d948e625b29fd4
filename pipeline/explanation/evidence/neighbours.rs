//! The household's standing with its neighbours: conduct events that were posted, and back-to-back reviews. Of reviews
//! only how many and when: who said what is not shown to anybody.

use std::collections::BTreeMap;

use crate::calendar::Date;
use crate::clean::typed::Rows as _;
use crate::explanation::Subject;
use crate::explanation::figures::Points;
use crate::fault::Result;

use super::{Evidence, Source, absent, rows_of, span, window, window_in_words};

pub fn conduct(subject: &Subject, fact: &str) -> Result<Evidence> {
    let Some(events) = &subject.tables().conduct_events else { return Ok(absent(subject, "conduct_events")) };
    let (language, window) = (subject.language, window(subject, fact));
    let posted = subject.contracts.input("conduct_events")?.word_code("status", "posted")?;
    let mut rows: Vec<(Date, usize)> = rows_of(&events.household_id, events.rows, subject.position)
        .into_iter()
        .filter(|&row| events.status.get(row) == Some(posted))
        .filter_map(|row| Some((events.status_on.get(row).filter(|&day| window.contains(day))?, row)))
        .collect();
    rows.sort_unstable();
    if rows.is_empty() {
        let window = window_in_words(subject, fact);
        return Ok(Evidence::remark(
            language.pick(format!("no conduct event was posted {window}"), format!("{window}期间无入账道德积分事件")),
        ));
    }
    let shown: Vec<String> = rows
        .iter()
        .map(|&(day, row)| {
            let (id, points) = (events.event_id.text(row), Points(events.points.get(row).unwrap_or(0)));
            let is_veto = events.is_veto.get(row) == Some(true);
            let veto = if is_veto { language.pick(" (disqualifies)", "（一票否决）") } else { "" };
            language.pick(format!("{id} posted {day}: {points}{veto}"), format!("{id}于{day}入账{points}分{veto}"))
        })
        .collect();
    let keys = rows.iter().map(|&(_, row)| events.event_id.text(row).into()).collect();
    Ok(Evidence::of(Source::of("conduct_events", keys, rows.iter().map(|row| row.0).collect(), language.list(&shown))))
}

pub fn peers(subject: &Subject, fact: &str) -> Evidence {
    let Some(reviews) = &subject.tables().peer_reviews else { return absent(subject, "peer_reviews") };
    let (language, window) = (subject.language, window(subject, fact));
    let mut latest: BTreeMap<&str, (Date, usize)> = BTreeMap::new();
    for row in rows_of(&reviews.household_id, reviews.rows, subject.position) {
        let Some(day) = reviews.reviewed_on.get(row).filter(|&day| window.contains(day)) else { continue };
        let slot = latest.entry(reviews.reviewer_id.text(row)).or_insert((day, row));
        *slot = (*slot).max((day, row));
    }
    let knowing = latest.into_values().filter(|&(_, row)| reviews.knows_household.get(row) == Some(true));
    let rows: Vec<(Date, usize)> = knowing.collect();
    let (scored, least) = (
        rows.iter().filter(|&&(_, row)| reviews.score.get(row).is_some()).count(),
        subject.rulebook.fact_rules.peer_reviews_min,
    );
    let mut found = Evidence::default();
    if rows.is_empty() {
        let window = window_in_words(subject, fact);
        let none = language.pick(
            format!("nobody who knows the household reviewed it {window}"),
            format!("{window}期间无了解该户的评议"),
        );
        found.remarks.push(none);
    } else {
        let days: Vec<Date> = rows.iter().map(|row| row.0).collect();
        let made = span(subject, days.iter().copied().min(), days.iter().copied().max());
        let count = rows.len();
        let text = language.pick(
            format!("{count} reviewers who know the household, {scored} with a score, {made}"),
            format!("了解该户的评议人{count}名，其中{scored}名有评分，{made}"),
        );
        found.sources.push(Source { rows: count, ..Source::of("peer_reviews", Vec::new(), days, text) });
    }
    if fact == "peer_score" && subject.value(fact).is_none() && !rows.is_empty() {
        let few = language.pick(
            format!("a score takes at least {least} reviews, so that it does not show who said what"),
            format!("评议分至少需{least}份有评分的评议，以免透露个人意见"),
        );
        found.remarks.push(few);
    }
    found
}
