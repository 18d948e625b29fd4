//! What an indicator means: what is counted over what, as it is written and in words, how the value is made, at which
//! levels, aimed at what, and where all of it comes from. Reads the catalogue; leaves the computing to `indicators`.

use std::collections::BTreeSet;

use crate::contract::{Contract, Contracts};
use crate::decimal::Decimal;
use crate::fault::Result;
use crate::rulebook::indicators::condition::Condition;
use crate::rulebook::indicators::{
    BaseTable, Component, Dimension, Direction, Distinct, Growth, Indicator, Kind, Level, Measure, Observations, Part,
    Ratio, TargetValue,
};
use crate::rulebook::{Rulebook, SourceReference};

use super::{Definition, Detail, Texts, detail, texts, title, version};

pub(super) fn indicator(id: &str, rulebook: &Rulebook, contracts: &Contracts) -> Result<Option<Definition>> {
    let Some(indicator) = rulebook.indicators.iter().find(|indicator| indicator.id == id) else { return Ok(None) };
    let definition = &indicator.definition;
    let mut details = vec![line("dimension", "维度", dimension_in_words(definition.dimension))];
    details.extend(made_of(&definition.kind, contracts)?);
    details.push(detail("unit", "单位", &definition.unit));
    details.push(detail("decimals shown", "显示小数位", definition.decimals));
    details.push(line("levels", "层级", listed(definition.levels.iter().map(|&level| level_in_words(level)))));
    if definition.by_segment {
        details.push(line("broken down by", "分组", texts("segment", "客群")));
    }
    details.push(line("direction", "方向", direction_in_words(definition.direction)));
    details.extend(target(indicator, rulebook));
    details.extend(disclosure(&definition.kind, rulebook));
    details.push(detail("definition version", "定义版本", &definition.version));
    let policy = format!("indicators/{id}");
    details.extend(value_sources(&policy, rulebook));
    Ok(Some(Definition {
        id: id.into(),
        kind: "indicator",
        meaning: Texts::from(&indicator.name),
        details,
        version: version(&policy, None, rulebook),
    }))
}

pub fn dimension_in_words(dimension: Dimension) -> Texts {
    match dimension {
        Dimension::Usage => texts("usage", "使用"),
        Dimension::Access => texts("access", "可得性"),
        Dimension::Quality => texts("quality", "质量"),
        Dimension::Equity => texts("equity", "公平"),
        Dimension::Timeliness => texts("timeliness", "时效"),
    }
}

pub fn level_in_words(level: Level) -> Texts {
    match level {
        Level::Bank => texts("bank", "全行"),
        Level::Branch => texts("branch", "网点"),
        Level::County => texts("county", "县"),
        Level::Township => texts("township", "乡镇"),
        Level::Village => texts("village", "村"),
        Level::Community => texts("community", "社区"),
    }
}

fn direction_in_words(direction: Direction) -> Texts {
    match direction {
        Direction::Up => texts("more is better", "越高越好"),
        Direction::Down => texts("less is better", "越低越好"),
        Direction::None => texts("neither more nor less is better", "无优劣方向"),
    }
}

fn line(en: &str, zh: &str, value: Texts) -> Detail {
    Detail { label: texts(en, zh), value }
}

fn listed(items: impl Iterator<Item = Texts>) -> Texts {
    let (en, zh): (Vec<String>, Vec<String>) = items.map(|item| (item.en, item.zh)).unzip();
    texts(en.join(", "), zh.join("、"))
}

/// How the value is made, of which parts, and what the columns mean that they read.
fn made_of(kind: &Kind, contracts: &Contracts) -> Result<Vec<Detail>> {
    let mut details = vec![line("value", "指标值", formula(kind))];
    for (label, part) in labelled_parts(kind) {
        details.push(Detail { label, value: part_in_words(part, contracts)? });
    }
    if let Kind::Ratio(Ratio { is_subset: true, .. }) = kind {
        details.push(line(
            "numerator and denominator",
            "分子与分母",
            texts(
                "the numerator is part of the denominator, so the value cannot pass 1",
                "分子为分母的一部分，指标值不超过1",
            ),
        ));
    }
    if let Kind::Ratio(Ratio { is_own: true, .. }) = kind {
        details.push(line(
            "denominator of each level",
            "各层级分母",
            texts(
                "the area's own figure, not a sum of those below; of the bank the sum over areas without a parent",
                "取本行政区自身数，不由下级汇总；全行为无上级行政区之和",
            ),
        ));
    }
    if let Some(observations) = kind.observations() {
        details.push(line("observations", "观测值", observations_in_words(observations, contracts)?));
    }
    if let Kind::Index(components) = kind {
        details.extend(components.iter().map(component));
    }
    details.extend(columns_read(kind, contracts)?);
    let sources: BTreeSet<&str> = kind
        .parts()
        .iter()
        .flat_map(|part| &part.sources)
        .chain(kind.observations().iter().flat_map(|observations| &observations.sources))
        .map(String::as_str)
        .collect();
    if !sources.is_empty() {
        let sources: Vec<&str> = sources.into_iter().collect();
        details.push(detail("not collected without", "缺此来源即未采集", sources.join(", ")));
    }
    Ok(details)
}

/// One sentence for each kind.
fn formula(kind: &Kind) -> Texts {
    match kind {
        Kind::Ratio(ratio) => {
            let times = times(ratio.factor);
            texts(format!("numerator / denominator{times}"), format!("分子 / 分母{times}"))
        }
        Kind::Amount(_) => texts("the numerator itself", "即分子"),
        Kind::Growth(_) => {
            texts("(now − before) / before: how much it has grown since", "（现值 − 前值）/ 前值，即增速")
        }
        Kind::GrowthGap { factor, .. } => {
            let times = times(*factor);
            texts(
                format!("(growth of the part − growth of the whole){times}, growth being (now − before) / before"),
                format!("（部分增速 − 整体增速）{times}，增速 =（现值 − 前值）/ 前值"),
            )
        }
        Kind::Quantile { rank, .. } => texts(
            format!("the nearest-rank quantile: of n observations the ⌈{rank} × n⌉-th smallest"),
            format!("最近秩分位数：n个观测值由小到大的第⌈{rank} × n⌉个"),
        ),
        Kind::Gini(_) => texts(
            "the Gini coefficient: Σ (2i − n − 1) × xᵢ / (n × Σ xᵢ) over the n observations in rising order; 0 where \
             all are equal, near 1 where one has everything",
            "基尼系数：n个观测值由小到大排列，Σ (2i − n − 1) × xᵢ / (n × Σ xᵢ)；完全均等为0，全归一户时接近1",
        ),
        Kind::Theil(_) => texts(
            "Theil's T: the mean of (x / mean) × ln(x / mean) over the observations, 0 × ln 0 being 0; 0 where all \
             are equal",
            "泰尔指数T：各观测值 (x / 均值) × ln(x / 均值) 的平均，0 × ln 0 取0；完全均等为0",
        ),
        Kind::TheilBetween(_) => texts(
            "the part of Theil's T that lies between branches: Σ s × ln(s / p) over the branches, s being a branch's \
             share of the sum and p its share of the observations; the rest lies within branches",
            "泰尔指数T的网点间部分：对各网点求 Σ s × ln(s / p)，s为网点占总额之比，p为占观测值个数之比；其余为网点内部分",
        ),
        Kind::Index(_) => texts(
            "the mean of two distances (Sarma 2012): √Σd² / √Σw² from the worst point and 1 − √Σ(w − d)² / √Σw² to \
             the best one, where w is a component's weight and d = w × (value − worst) / (best − worst), held within 0 \
             and w; no value where a component has none",
            "两个距离的平均（Sarma 2012）：距最差点 √Σd² / √Σw²，距最优点 1 − √Σ(w − d)² / √Σw²；w为构成指标权重，\
             d = w ×（指标值 − 最差值）/（最优值 − 最差值），限于0至w；任一构成指标无值则无值",
        ),
    }
}

fn times(factor: Decimal) -> String {
    if factor == Decimal::from_integer(1) { String::new() } else { format!(" × {factor}") }
}

fn labelled_parts(kind: &Kind) -> Vec<(Texts, &Part)> {
    match kind {
        Kind::Ratio(ratio) => {
            vec![(texts("numerator", "分子"), &ratio.numerator), (texts("denominator", "分母"), &ratio.denominator)]
        }
        Kind::Amount(part) => vec![(texts("numerator", "分子"), part)],
        Kind::Growth(Growth { now, before }) => vec![(texts("now", "现值"), now), (texts("before", "前值"), before)],
        Kind::GrowthGap { part, whole, .. } => vec![
            (texts("part, now", "部分现值"), &part.now),
            (texts("part, before", "部分前值"), &part.before),
            (texts("whole, now", "整体现值"), &whole.now),
            (texts("whole, before", "整体前值"), &whole.before),
        ],
        Kind::Quantile { .. } | Kind::Gini(_) | Kind::Theil(_) | Kind::TheilBetween(_) | Kind::Index(_) => Vec::new(),
    }
}

/// "granted: number of rows of `households` (one household of …) where …".
fn part_in_words(part: &Part, contracts: &Contracts) -> Result<Texts> {
    let contract = contracts.base(part.table.name())?;
    let table = rows_of(contract);
    let (en, zh) = match part.measure {
        Measure::Count => (format!("number of rows of {}", table.en), format!("{}的行数", table.zh)),
        Measure::Sum { column, .. } => {
            let column = column_name(contract, column);
            (format!("sum of `{column}` over the rows of {}", table.en), format!("{}各行`{column}`之和", table.zh))
        }
        Measure::Union(Distinct::Areas) => (
            format!("number of different areas in the rows of {}", table.en),
            format!("{}各行不重复的行政区数", table.zh),
        ),
        Measure::Union(Distinct::Customers) => (
            format!(
                "number of different customers (the household or, outside the grids, the loan) in the rows of {}",
                table.en
            ),
            format!("{}各行不重复的客户数（网格内按户，网格外按笔）", table.zh),
        ),
    };
    let condition = part.condition.as_ref().map(|condition| condition.text.as_str());
    Ok(with_condition(&part.id, &en, &zh, condition))
}

fn observations_in_words(observations: &Observations, contracts: &Contracts) -> Result<Texts> {
    let contract = contracts.base(observations.table.name())?;
    let (table, column) = (rows_of(contract), column_name(contract, observations.column));
    let condition = observations.condition.as_ref().map(|condition| condition.text.as_str());
    let en = format!("`{column}` of the rows of {}, those without a value left out", table.en);
    let zh = format!("{}各行的`{column}`，空值不计", table.zh);
    Ok(with_condition(&observations.id, &en, &zh, condition))
}

/// A base table with what a row of it is.
fn rows_of(contract: &Contract) -> Texts {
    let (table, grain) = (&contract.table, &contract.grain);
    texts(format!("`{table}` ({})", grain.en), format!("`{table}`（{}）", grain.zh))
}

fn with_condition(id: &str, en: &str, zh: &str, condition: Option<&str>) -> Texts {
    match condition {
        Some(text) => texts(format!("{id}: {en}, where {text}"), format!("{id}：{zh}，条件 {text}")),
        None => texts(format!("{id}: {en}"), format!("{id}：{zh}")),
    }
}

fn column_name(contract: &Contract, position: usize) -> &str {
    contract.columns.get(position).map_or("", |column| &column.name)
}

fn component(component: &Component) -> Detail {
    let Component { indicator, weight, worst, best } = component;
    line(
        "component",
        "构成",
        texts(
            format!("{indicator}: weight {weight}, from {worst} (worst) to {best} (best)"),
            format!("{indicator}：权重{weight}，最差值{worst}，最优值{best}"),
        ),
    )
}

/// The meaning of every column that a part reads, table by table, in the order of the contract.
fn columns_read(kind: &Kind, contracts: &Contracts) -> Result<Vec<Detail>> {
    let mut read: Vec<(BaseTable, usize)> = Vec::new();
    let mut note = |table: BaseTable, of: Option<usize>, condition: Option<&Condition>| {
        let mut columns: Vec<usize> = of.into_iter().collect();
        if let Some(condition) = condition {
            condition.expression.columns(&mut columns);
        }
        read.extend(columns.into_iter().map(|column| (table, column)));
    };
    for part in kind.parts() {
        let summed = match part.measure {
            Measure::Sum { column, .. } => Some(column),
            Measure::Count | Measure::Union(_) => None,
        };
        note(part.table, summed, part.condition.as_ref());
    }
    if let Some(observations) = kind.observations() {
        note(observations.table, Some(observations.column), observations.condition.as_ref());
    }
    read.sort_unstable();
    read.dedup();
    let mut details = Vec::new();
    for (table, column) in read {
        let contract = contracts.base(table.name())?;
        let meanings = contract.columns.get(column).map(|column| {
            let name = format!("{}.{}", table.name(), column.name);
            Detail { label: texts(name.clone(), name), value: Texts::from(&column.meaning) }
        });
        details.extend(meanings);
    }
    Ok(details)
}

fn target(indicator: &Indicator, rulebook: &Rulebook) -> Vec<Detail> {
    let Some(target) = &indicator.definition.target else { return Vec::new() };
    let bound = match indicator.definition.direction {
        Direction::Up => texts("at least ", "不低于"),
        Direction::Down => texts("at most ", "不高于"),
        Direction::None => texts("", ""),
    };
    let at = match &target.at {
        TargetValue::Always(value) => texts(format!("{}{value}", bound.en), format!("{}{value}", bound.zh)),
        TargetValue::ByProgrammeYear(values) => by_programme_year(values, &bound),
    };
    vec![
        line("target", "目标", at),
        line("source of the target", "目标依据", reference_in_words(&target.source, rulebook)),
    ]
}

fn by_programme_year(values: &[Decimal], bound: &Texts) -> Texts {
    let last = values.len();
    let years = values.iter().enumerate().map(|(place, value)| {
        let year = place + 1;
        let (later_en, later_zh) = if year == last { (" and later", "及以后") } else { ("", "") };
        texts(
            format!("{}{value} in year {year}{later_en}", bound.en),
            format!("第{year}年{later_zh}{}{value}", bound.zh),
        )
    });
    let years = listed(years);
    texts(
        format!("{} of the programme, which begins when the bank's first grid joins", years.en),
        format!("{}（自全行首个网格加入起的推进年度）", years.zh),
    )
}

/// Whether small counts are kept back.
fn disclosure(kind: &Kind, rulebook: &Rulebook) -> Option<Detail> {
    let is_counted = kind.parts().iter().any(|part| part.counts_households)
        || kind.observations().is_some_and(|observations| observations.table == BaseTable::Households);
    let cell_min = rulebook.disclosure.cell_min;
    is_counted.then(|| {
        line(
            "disclosure",
            "披露",
            texts(
                format!(
                    "counts households: small counts (below {cell_min}) and what would betray them are not published"
                ),
                format!("涉及户数：低于{cell_min}的小数目及可据以推出的数不予公布"),
            ),
        )
    })
}

/// The sources of single values, where they are others than that of the version.
fn value_sources(policy: &str, rulebook: &Rulebook) -> Vec<Detail> {
    let version = rulebook.in_force.iter().find(|version| version.policy == policy);
    let sources = version.into_iter().flat_map(|version| &version.value_sources);
    sources
        .map(|(value, source)| Detail {
            label: texts(format!("source of {value}"), format!("{value}依据")),
            value: reference_in_words(source, rulebook),
        })
        .collect()
}

fn reference_in_words(source: &SourceReference, rulebook: &Rulebook) -> Texts {
    let SourceReference { id, provision } = source;
    let title = title(source, rulebook);
    texts(format!("{}, {provision} [{id}]", title.en), format!("{}，{provision} [{id}]", title.zh))
}
