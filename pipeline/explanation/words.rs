//! The words of an explanation in the two languages of the product: a code's meaning for whoever does not read codes.
//! Meanings of facts stand in the contracts, names of vetoes and blocks in the rulebook; neither is repeated here.

use std::fmt::Display;

/// The language of headings, meanings and reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    En,
    Zh,
}

impl Language {
    /// Which of two is meant.
    pub fn pick<T>(self, en: T, zh: T) -> T {
        match self {
            Language::En => en,
            Language::Zh => zh,
        }
    }

    /// The word for a code of a list; the code itself where the list has none.
    pub fn word(self, list: &[Word], code: &str) -> String {
        let found = list.iter().find(|word| word.0 == code);
        found.map_or_else(|| code.to_string(), |word| self.pick(word.1, word.2).to_string())
    }

    /// A text with a note behind it.
    pub fn noted(self, text: impl Display, note: impl Display) -> String {
        self.pick(format!("{text} ({note})"), format!("{text}（{note}）"))
    }

    /// The first items of a list, and how many more there are.
    pub fn list<T: Display>(self, items: &[T]) -> String {
        let shown: Vec<String> = items.iter().take(ITEMS_SHOWN).map(ToString::to_string).collect();
        let text = shown.join(self.pick(", ", "、"));
        match items.len().saturating_sub(ITEMS_SHOWN) {
            0 => text,
            more => self.pick(format!("{text} and {more} more"), format!("{text}，另有{more}项")),
        }
    }
}

/// Items of a list that are named one by one in a text; the JSON form names them all.
const ITEMS_SHOWN: usize = 6;

/// A code, in English, in Chinese.
pub type Word = (&'static str, &'static str, &'static str);

pub const KINDS: &[Word] = &[
    ("farm_household", "farm household", "农户"),
    ("resident", "resident", "居民"),
    ("merchant", "merchant", "商户"),
    ("small_enterprise", "small enterprise", "小微企业"),
    ("large_grower", "large grower", "种养大户"),
    ("cooperative", "cooperative", "合作社"),
    ("leading_enterprise", "leading enterprise", "龙头企业"),
    ("family_farm", "family farm", "家庭农场"),
];

pub const CARE_CATEGORIES: &[Word] = &[
    ("none", "none", "无"),
    ("hardship", "hardship", "困难"),
    ("living_alone", "living alone", "独居"),
    ("disabled", "disabled", "残疾"),
    ("left_behind", "left behind", "留守"),
    ("unemployed", "unemployed", "失业"),
];

pub const LISTS: &[Word] =
    &[("white", "white list", "白名单"), ("grey", "grey list", "灰名单"), ("black", "black list", "黑名单")];

pub const LIST_REASONS: &[Word] = &[
    ("ok", "nothing stands in the way", "无障碍"),
    ("vetoed", "a veto applies", "一票否决"),
    ("not_rateable", "it cannot be rated", "不可评级"),
    ("declined", "a person declined it", "已拒绝"),
    ("suspended", "a person suspended it", "已暂停"),
    ("no_limit", "there is no limit to offer", "无可授信额度"),
    ("stale_profile", "the profile is not fresh", "建档过期"),
    ("unvisited", "it had no valid visit in 12 months", "近12个月无有效走访"),
];

pub const ACTIONS: &[Word] = &[
    ("accept", "accept", "接受"),
    ("adjust", "adjust", "人工调整"),
    ("decline", "decline", "拒绝"),
    ("suspend", "suspend", "暂停"),
];

pub const DECISION_STATES: &[Word] = &[
    ("in_force", "in force", "有效"),
    ("superseded", "superseded by a later one", "已被后续审批取代"),
    ("expired", "expired", "已到期"),
    ("set_aside", "set aside", "已隔离"),
];

/// Why a decision was set aside, in Chinese; in English its rule says so itself.
pub const UNSOUND: &[Word] = &[
    ("approver_missing", "", "人工调整、拒绝或暂停缺审批人"),
    ("same_person", "", "审批人与经办人为同一人"),
    ("reason_missing", "", "人工调整、拒绝或暂停缺理由"),
    ("nothing_accepted", "", "接受须写明所接受的等级和额度，且不得为否决等级"),
    ("nothing_adjusted", "", "人工调整未给出等级或额度"),
    ("grade_missing", "", "调整额度未给出对应等级"),
    ("grade_unknown", "", "所给等级不在等级表内"),
    ("limit_above_cap", "", "所给额度超过等级或产品上限"),
    ("veto_not_overridable", "", "存在不可人工解除的一票否决"),
    ("veto_not_named", "", "`overrides` 未列明全部一票否决"),
];

pub const NOT_RATEABLE: &[Word] = &[
    ("no_profile", "there is no known profile", "无已知建档"),
    ("stale_profile", "the profile is too old to rate", "建档已过可评级期限"),
    ("incomplete_profile", "too few fields of the profile are filled in", "建档完整度不足"),
];

pub const CAPS: &[Word] = &[
    ("cap_grade", "the cap of the grade", "等级上限"),
    ("cap_product", "the cap of the product", "产品上限"),
    ("cap_income", "income multiple × net income", "收入倍数 × 净收入"),
    ("cap_net_assets", "net asset ratio × net assets", "净资产比率 × 净资产"),
    ("cap_service", "what the income left for debt service repays over the term", "剩余偿债能力在期限内可还的额度"),
];

pub const UNITS: &[Word] = &[
    // The bank has one currency and knows it; the word would only fill the column.
    ("currency", "", ""),
    ("share", "", ""),
    ("points", "points", "分"),
    ("days", "days", "天"),
    ("months", "months", "个月"),
    ("instalments", "instalments", "期"),
    ("times", "times", "次"),
    ("channels", "channels", "项"),
    ("events", "events", "件"),
    ("reviews", "reviews", "份"),
    ("visits", "visits", "次"),
];

pub const RISK_CLASSES: &[Word] = &[
    ("normal", "normal", "正常"),
    ("special_mention", "special mention", "关注"),
    ("substandard", "substandard", "次级"),
    ("doubtful", "doubtful", "可疑"),
    ("loss", "loss", "损失"),
];

pub const PRODUCTS: &[Word] =
    &[("demand", "demand", "活期"), ("term", "term", "定期"), ("card", "card", "银行卡"), ("wealth", "wealth", "理财")];

/// What a fact is called in Chinese; in English its own name can be read.
pub const FACT_NAMES: &[Word] = &[
    ("instalments_due_24m", "", "到期期数"),
    ("on_time_share_24m", "", "按时还款占比"),
    ("delay_days_max_24m", "", "最长拖欠天数"),
    ("own_outstanding", "", "本行贷款余额"),
    ("own_unsecured_outstanding", "", "本行信用贷款余额"),
    ("own_bad_outstanding", "", "本行不良贷款余额"),
    ("days_past_due_now", "", "当前逾期天数"),
    ("risk_class_worst_12m", "", "最差五级分类"),
    ("outside_outstanding", "", "他行负债余额"),
    ("outside_guarantees", "", "对外担保余额"),
    ("outside_overdue_count_24m", "", "他行逾期次数"),
    ("outside_monthly_payment", "", "他行月还款额"),
    ("net_income", "", "净收入"),
    ("net_income_per_member", "", "人均净收入"),
    ("debt_service_12m", "", "年偿债支出"),
    ("debt_service_share", "", "偿债收入比"),
    ("labour_share", "", "劳动力占比"),
    ("inflow_months_12m", "", "有转入月数"),
    ("net_assets", "", "净资产"),
    ("debt_to_assets", "", "资产负债率"),
    ("deposit_average_12m", "", "日均存款"),
    ("relationship_months", "", "开户月数"),
    ("channel_count", "", "渠道数"),
    ("conduct_points_12m", "", "道德积分"),
    ("conduct_points_per_member_12m", "", "人均道德积分"),
    ("conduct_vetoes_12m", "", "道德否决事件"),
    ("peer_review_count", "", "评议人数"),
    ("peer_score", "", "背靠背评议分"),
    ("peer_vetoes", "", "评议否决人数"),
    ("profile_age_days", "", "建档天数"),
    ("profile_completeness", "", "建档完整度"),
    ("valid_visits_12m", "", "有效走访次数"),
    ("days_since_valid_visit", "", "距上次有效走访"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contracts;
    use crate::grade;
    use crate::limit::Cap;
    use crate::limit::decisions::Unsound;
    use crate::rulebook::FACTS;

    #[test]
    fn every_code_has_its_words() {
        let contracts = Contracts::built_in().unwrap();
        let words_of =
            |table: &str, column: &str| contracts.input(table).unwrap().column(column).unwrap().words.clone();
        let units = contracts.output("household_facts").unwrap().columns.iter();
        let units = units.filter(|column| column.fact.is_some()).filter_map(|column| column.unit.clone());
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        for (list, codes) in [
            (KINDS, words_of("households", "kind")),
            (CARE_CATEGORIES, words_of("households", "care_category")),
            (ACTIONS, words_of("decisions", "action")),
            (RISK_CLASSES, words_of("loan_months", "risk_class")),
            (PRODUCTS, words_of("accounts", "product")),
            (UNITS, units.collect()),
            (UNSOUND, names(&Unsound::ALL.map(Unsound::name))),
            (NOT_RATEABLE, names(&grade::NotRateable::ALL.map(grade::NotRateable::name))),
            (CAPS, names(&Cap::ALL.map(Cap::name))),
            (FACT_NAMES, FACTS.iter().map(|fact| fact.name.to_string()).collect()),
        ] {
            for code in codes {
                assert!(list.iter().any(|word| word.0 == code), "`{code}` has no words");
            }
        }
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(Language::En.list(&["L1", "L2"]), "L1, L2");
        assert_eq!(Language::En.list(&[1, 2, 3, 4, 5, 6, 7, 8]), "1, 2, 3, 4, 5, 6 and 2 more");
    }
}
