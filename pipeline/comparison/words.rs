//! The words of a comparison in the two languages of the product.

use crate::explanation::Word;

pub const CAUSES: &[Word] = &[
    ("input", "input", "数据变化"),
    ("rule", "rule", "制度变化"),
    ("time", "time passing", "时间推移"),
    ("decision", "decision", "审批"),
    ("earlier_run", "the run before", "上次运行"),
    ("input_or_time", "input or time", "数据变化或时间推移"),
];

pub const LISTS: &[Word] = &[("white", "white", "白名单"), ("grey", "grey", "灰名单"), ("black", "black", "黑名单")];

/// What households are named under, in the order of `Kind::ALL`.
pub const KINDS: &[Word] = &[
    ("up", "Up", "上调"),
    ("down", "Down", "下调"),
    ("became_rateable", "Became rateable", "变为可评级"),
    ("no_longer_rateable", "No longer rateable", "变为不可评级"),
    ("model_grade_only", "Model grade only", "仅模型等级变动"),
    ("limit_raised", "Limit raised", "额度调高"),
    ("limit_lowered", "Limit lowered", "额度调低"),
    ("suggested_limit_only", "Suggested limit only", "仅建议额度变动"),
    ("list", "Other list", "名单变动"),
];

/// What an element is, in the order of `What::ALL`.
pub const WHATS: &[Word] = &[
    ("characteristic", "points", "得分"),
    ("fact", "fact", "指标"),
    ("veto", "veto", "一票否决"),
    ("cap", "cap", "上限"),
    ("deductions", "limit", "额度"),
    ("hold", "limit", "额度"),
    ("limit_rules", "limit", "额度"),
    ("upgrade_margin", "grade", "等级"),
    ("grade_scale", "grade", "等级"),
    ("scorecard", "scorecard", "评分表"),
    ("household_kind", "household", "户"),
    ("decision", "decision", "审批"),
];

/// Elements that are not called by the name of a fact, a veto or a cap.
pub const ELEMENTS: &[Word] = &[
    ("deductions", "deductions", "扣减"),
    ("hold", "hold of the last limit", "额度保持"),
    ("limits", "limit rules", "额度规则"),
    ("upgrade_margin", "upgrade margin, grade before", "升级缓冲（上次等级）"),
    ("grade_scale", "grade scale", "信用等级标准"),
    ("scorecard", "scorecard", "评分表"),
    ("kind", "kind of household", "户类型"),
    ("decision", "decision in force", "有效审批"),
    ("cap_grade", "cap_grade", "等级上限"),
    ("cap_product", "cap_product", "产品上限"),
    ("cap_income", "cap_income", "收入上限"),
    ("cap_net_assets", "cap_net_assets", "净资产上限"),
    ("cap_service", "cap_service", "偿债能力上限"),
];

pub const COUNTS: &[Word] = &[
    ("households", "households", "户数"),
    ("care_households", "care households", "关怀户"),
    ("profiled", "profiled", "已建档"),
    ("profiled_fresh", "profiled, fresh", "及时建档"),
    ("graded", "graded", "已评级"),
    ("white", "white list", "白名单"),
    ("suggested", "with a suggested limit", "有建议额度"),
    ("granted", "granted", "授信"),
    ("drawn", "drawn", "用信"),
    ("borrowing", "borrowing", "有贷户"),
    ("with_account", "with an account", "有账户"),
    ("active_account", "with an active account", "有活跃账户"),
    ("visited_12m", "visited in 12 months", "近12个月走访"),
    ("care_visited_3m", "care, visited in 3 months", "近3个月走访关怀户"),
    ("profiles_required", "profiles required", "应建档"),
    ("profile_gap", "profile gap", "建档缺口"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::causes::Cause;
    use crate::comparison::coverage::counts;
    use crate::comparison::household::{Kind, What};
    use crate::limit::Cap;

    #[test]
    fn every_code_has_its_words() {
        let codes = |words: &[Word]| words.iter().map(|word| word.0.to_string()).collect::<Vec<_>>();
        let kinds = Kind::ALL.map(|kind| serde_json::to_string(&kind).unwrap().trim_matches('"').to_string());
        assert_eq!(codes(KINDS), kinds);
        assert_eq!(codes(WHATS), What::ALL.map(What::name));
        assert_eq!(codes(CAUSES), Cause::ALL.map(Cause::name));
        assert_eq!(codes(COUNTS), counts());
        assert!(Cap::ALL.iter().all(|cap| codes(ELEMENTS).contains(&cap.name().to_string())));
    }
}
