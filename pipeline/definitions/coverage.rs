//! What the faults of the partition and the reasons of work lists mean, with the values of the rulebook behind them.

use crate::coverage::partition::FaultKind;
use crate::coverage::work_list::Reason;
use crate::rulebook::Rulebook;

use super::{Definition, Detail, detail, texts, version};

/// Every name that is defined here.
pub(super) fn names() -> impl Iterator<Item = String> {
    let faults = FaultKind::ALL.into_iter().map(FaultKind::name);
    faults.chain(Reason::ALL.into_iter().map(Reason::name)).map(String::from)
}

pub(super) fn partition_fault(id: &str, rulebook: &Rulebook) -> Option<Definition> {
    let kind = FaultKind::ALL.into_iter().find(|kind| kind.name() == id)?;
    let (en, zh) = match kind {
        FaultKind::GridWithoutPrimary => {
            ("a valid grid without a primary officer who is active", "有效网格没有在岗的主责网格员")
        }
        FaultKind::GridWithManyPrimaries => {
            ("a valid grid with more than one active primary officer", "有效网格有多名在岗的主责网格员")
        }
        FaultKind::OfficerWithManyGrids => {
            ("an active officer who is primary of more than one valid grid", "一名在岗网格员主责多个有效网格")
        }
        FaultKind::OfficerOfOtherBranch => {
            ("an active officer who is primary of a valid grid of another branch", "在岗网格员主责其他网点的有效网格")
        }
        FaultKind::GridWithoutBackup => {
            ("a valid grid without an active backup officer", "有效网格没有在岗的备岗网格员")
        }
        FaultKind::AreaWithoutGrid => ("a village or community without a valid grid", "村或社区没有有效网格"),
        FaultKind::RuralOverlap => {
            ("a rural village or community with valid grids of more than one branch", "农村行政区有多个网点的有效网格")
        }
        FaultKind::GridTooSmall => {
            ("a valid grid with fewer households than its kind has", "有效网格户数低于该类网格下限")
        }
        FaultKind::GridTooLarge => {
            ("a valid grid with more households than its kind has", "有效网格户数高于该类网格上限")
        }
        FaultKind::GridNotValid => (
            "a household whose grid is not valid; it is graded and counts in no coverage",
            "户所在网格无效：仍评级，但不计入覆盖统计",
        ),
        FaultKind::HouseholdsShort => (
            "a village or community with fewer households in valid grids than the civil register has, beyond the tolerance",
            "村或社区有效网格内户数少于户籍户数，超出容差",
        ),
        FaultKind::HouseholdsOver => (
            "a village or community with more households in valid grids than the civil register has, beyond the tolerance",
            "村或社区有效网格内户数多于户籍户数，超出容差",
        ),
        FaultKind::BranchClosed => ("a valid grid of a branch that is not open", "有效网格所属网点未营业"),
    };
    let details = vec![detail("reported of", "对象", kind.subject_kind())].into_iter().chain(bounds(kind, rulebook));
    let value = match kind {
        FaultKind::GridTooSmall | FaultKind::GridTooLarge => Some("sizes"),
        FaultKind::HouseholdsShort | FaultKind::HouseholdsOver => Some("count_tolerance"),
        _ => None,
    };
    Some(Definition {
        id: id.into(),
        kind: "partition_fault",
        meaning: texts(en, zh),
        details: details.collect(),
        version: value.and_then(|value| version("partition", Some(value), rulebook)),
    })
}

/// The values of the rulebook that decide a fault.
fn bounds(kind: FaultKind, rulebook: &Rulebook) -> Vec<Detail> {
    let rules = &rulebook.partition;
    match kind {
        FaultKind::GridTooSmall => {
            rules.sizes.iter().map(|size| detail(&size.grid_kind, &size.grid_kind, size.at_least)).collect()
        }
        FaultKind::GridTooLarge => {
            rules.sizes.iter().map(|size| detail(&size.grid_kind, &size.grid_kind, size.at_most)).collect()
        }
        FaultKind::HouseholdsShort | FaultKind::HouseholdsOver => {
            vec![detail("count_tolerance", "count_tolerance", rules.count_tolerance)]
        }
        _ => Vec::new(),
    }
}

pub(super) fn work_reason(id: &str, rulebook: &Rulebook) -> Option<Definition> {
    let reason = Reason::ALL.into_iter().find(|reason| reason.name() == id)?;
    let rules = &rulebook.work_list;
    let fresh = ("fresh_days", rulebook.fact_rules.fresh_days);
    let (en, zh, policy, (value, bound)) = match reason {
        Reason::NoProfile => (
            "no profile is known; due so many days after the household or its grid began",
            "尚无建档；户或网格开始之日起若干天内应建档",
            "work_list",
            ("filing_days", rules.filing_days),
        ),
        Reason::StaleProfile => (
            "the latest profile is older than this; due on the last day on which it was fresh",
            "最近建档已超过天数；到期日为最后有效更新日",
            "fact_rules",
            fresh,
        ),
        Reason::ProfileExpiring => (
            "the profile soon no longer rates: announced so many days ahead, due on its last day",
            "建档即将失效：提前若干天提示，到期日为可评级的最后一天",
            "work_list",
            ("expiry_notice_days", rules.expiry_notice_days),
        ),
        Reason::NotVisited => (
            "no valid visit for so many months; due on the day on which they were over",
            "已有若干月没有有效走访；到期日为届满之日",
            "work_list",
            ("visit_months", rules.visit_months),
        ),
        Reason::CareNotVisited => (
            "a care household without a valid visit for so many months",
            "关怀户已有若干月没有有效走访",
            "work_list",
            ("care_visit_months", rules.care_visit_months),
        ),
        Reason::UrgentIssue => (
            "an urgent issue of a visit to the household is open; due so many days after the visit",
            "走访发现的紧急问题尚未解决；走访后若干天内应处理",
            "work_list",
            ("urgent_issue_days", rules.urgent_issue_days),
        ),
        Reason::RepeatVisit => (
            "the latest visit on site did not count; to be made again within so many days",
            "最近一次现场走访无效；若干天内应重访",
            "work_list",
            ("repeat_visit_days", rules.repeat_visit_days),
        ),
    };
    Some(Definition {
        id: id.into(),
        kind: "work_reason",
        meaning: texts(en, zh),
        details: vec![detail(value, value, bound)],
        version: version(policy, Some(value), rulebook),
    })
}
