//! The words of listings in the two languages of the product: a code's meaning for whoever does not read codes.
//! What a column counts stands in its contract and is not repeated here.

use crate::explanation::Word;

pub const SEGMENTS: &[Word] = &[
    ("all", "all", "全部"),
    ("rural", "rural", "农村"),
    ("resident", "resident", "居民"),
    ("business", "business", "商户小微"),
];

pub const GRID_KINDS: &[Word] = &[
    ("village", "village", "村"),
    ("community", "community", "社区"),
    ("business_district", "business district", "商圈"),
    ("industrial_park", "industrial park", "园区"),
    ("campus", "campus", "校园"),
];

pub const AREA_LEVELS: &[Word] = &[
    ("county", "county", "县"),
    ("township", "township", "乡镇"),
    ("village", "village", "村"),
    ("community", "community", "社区"),
];

/// Ratings are words of the rulebook; one that a bank named itself is shown as it stands there.
pub const RATINGS: &[Word] = &[
    ("excellent", "excellent", "优秀"),
    ("good", "good", "良好"),
    ("qualified", "qualified", "合格"),
    ("unqualified", "unqualified", "不合格"),
];

pub const ASSESSMENT_VETOES: &[Word] = &[("visits_not_credible", "visits not credible", "走访不可信")];

pub const DUTIES: &[Word] = &[("primary", "primary", "主责"), ("backup", "backup", "备岗")];

pub const FAULTS: &[Word] = &[
    ("grid_without_primary", "Grids without a primary officer", "网格无主责"),
    ("grid_with_many_primaries", "Grids with more than one primary officer", "网格多名主责"),
    ("officer_with_many_grids", "Officers who are primary of more than one grid", "网格员主责多个网格"),
    ("officer_of_other_branch", "Officers who are primary of a grid of another branch", "网格员主责其他网点网格"),
    ("grid_without_backup", "Grids without a backup officer", "网格无备岗"),
    ("area_without_grid", "Areas without a valid grid", "行政区无网格"),
    ("rural_overlap", "Rural areas with grids of more than one branch", "农村网格重叠"),
    ("grid_too_small", "Grids that are too small", "网格过小"),
    ("grid_too_large", "Grids that are too large", "网格过大"),
    ("grid_not_valid", "Households whose grid is not valid", "户所在网格无效"),
    ("households_short", "Areas with fewer households than the civil register", "户数不足"),
    ("households_over", "Areas with more households than the civil register", "户数超出"),
    ("branch_closed", "Grids of a branch that is not open", "网格所属网点未营业"),
];

/// What an officer does about a reason for which a household is on the list.
pub const TASKS: &[Word] = &[
    ("no_profile", "make the profile: there is none", "建档：尚未建档"),
    ("stale_profile", "renew the profile: no longer fresh", "更新建档：建档已旧"),
    ("profile_expiring", "renew the profile: it rates until then", "更新建档：此日后不可评级"),
    ("not_visited", "visit: too long without a valid one", "走访：已久无有效走访"),
    ("care_not_visited", "visit: care household", "走访：关怀户"),
    ("urgent_issue", "settle the urgent issue", "解决紧急问题"),
    ("repeat_visit", "repeat the visit: it did not count", "重访：上次现场走访无效"),
];

/// The same of a stale profile that is too old to rate.
pub const TASK_OF_EXPIRED_PROFILE: (&str, &str) = ("renew the profile: it no longer rates", "更新建档：已不可评级");

/// A reason, and what there is to do: one, several, and in Chinese.
pub type TaskCount = (&'static str, &'static str, &'static str, &'static str);

pub const TASK_COUNTS: &[TaskCount] = &[
    ("no_profile", "profile to make", "profiles to make", "待建档"),
    ("stale_profile", "profile to renew", "profiles to renew", "待更新建档"),
    ("profile_expiring", "profile about to expire", "profiles about to expire", "建档即将失效"),
    ("not_visited", "household to visit", "households to visit", "待走访"),
    ("care_not_visited", "care household to visit", "care households to visit", "待走访关怀户"),
    ("urgent_issue", "household with an urgent issue", "households with an urgent issue", "有紧急问题"),
    ("repeat_visit", "visit to repeat", "visits to repeat", "待重访"),
];

/// Why an indicator has no value, or none that leaves the bank; of a value that does there is nothing to say.
pub const STATUSES: &[Word] = &[
    ("A", "", ""),
    ("L", "not collected", "未采集"),
    ("M", "cannot exist", "无法计算"),
    ("Q", "not published", "不予公布"),
];

/// What stands behind the value of an indicator; the others are said by its name. A unit that a bank named itself is
/// shown as it stands there.
pub const INDICATOR_UNITS: &[Word] = &[
    ("share", "%", "%"),
    ("percentage_points", "pp", "百分点"),
    ("m", "m", "米"),
    ("hours", "h", "小时"),
    ("currency", "", ""),
    ("customers", "", ""),
    ("index", "", ""),
    ("per_1000_households", "", ""),
    ("per_10000_adults", "", ""),
    ("per_1000_km2", "", ""),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Date;
    use crate::contract::Contracts;
    use crate::coverage::work_list::Reason;
    use crate::rulebook::{FACTS, Rulebook, RulebookPlace};

    #[test]
    fn every_unit_of_the_catalogue_has_its_words() {
        let newest = Date::from_ymd(9999, 12, 31).unwrap();
        let rulebook = Rulebook::load(&RulebookPlace::BuiltIn, newest, FACTS).unwrap();
        for indicator in &rulebook.indicators {
            let unit = &indicator.definition.unit;
            assert!(INDICATOR_UNITS.iter().any(|known| known.0 == unit), "`{unit}` of {}", indicator.id);
        }
    }

    #[test]
    fn every_code_has_its_words() {
        let contracts = Contracts::built_in().unwrap();
        let of_output =
            |table: &str, column: &str| contracts.output(table).unwrap().column(column).unwrap().words.clone();
        let reasons: Vec<String> = Reason::ALL.map(|reason| reason.name().to_string()).into();
        for (list, codes) in [
            (SEGMENTS, of_output("branch_coverage", "segment")),
            (GRID_KINDS, of_output("grid_coverage", "kind")),
            (AREA_LEVELS, of_output("village_ratings", "level")),
            (DUTIES, of_output("work_list", "duty")),
            (FAULTS, of_output("partition_faults", "fault")),
            (TASKS, reasons.clone()),
            (STATUSES, of_output("indicators", "status")),
        ] {
            let known: Vec<&str> = list.iter().map(|word| word.0).collect();
            assert_eq!(known, codes, "the words in the order of their codes");
        }
        assert_eq!(TASK_COUNTS.iter().map(|count| count.0).collect::<Vec<_>>(), reasons);
    }
}
