//! What of the present bank helps to compare two runs: its rulebook, where it is still that of the later run, and its
//! files, where they still are. What does not fit is told as a remark, and a comparison does without it.

use crate::clean;
use crate::contract::Contracts;
use crate::definitions::Texts;
use crate::fault::{Error, Result};
use crate::night;
use crate::previous::Previous;
use crate::read::bank::Bank;
use crate::read::published::VersionHead;
use crate::rulebook::{Rulebook, RulebookPlace, VersionInForce};

use super::meanwhile::Meanwhile;
use super::origins::inputs;
use super::side::Side;

/// Policies that facts are measured by.
const MEASURING: [&str; 2] = ["fact_rules", "visit_checks"];

/// What lies between the two runs, or why it cannot be computed.
pub fn between(
    from: &Side,
    to: &Side,
    bank: &Bank,
    rulebook: &Rulebook,
    contracts: &Contracts,
    remarks: &mut Vec<Texts>,
) -> Result<Option<Meanwhile>> {
    let (old, new) = (&from.description, &to.description);
    if old.as_of == new.as_of {
        return Ok(None);
    }
    let measured_otherwise = |policy: &&str| {
        let present = rulebook.in_force.iter().find(|version| version.policy == *policy).map(version_head);
        present.as_ref() != new.versions.get(*policy)
    };
    if let Some(policy) = MEASURING.iter().find(|policy| measured_otherwise(policy)) {
        remarks.push(untold(&format!("`{policy}` has changed since"), &format!("此后`{policy}`已变更")));
        return Ok(None);
    }
    let present = night::made_from(bank, &[], rulebook, &Previous::default());
    if present.bank_digest != new.made_from.bank_digest {
        remarks.push(untold("`bank.toml` has changed since", "此后`bank.toml`已变更"));
        return Ok(None);
    }
    let cleaned = match clean::clean(bank, contracts, old.as_of) {
        Ok(cleaned) => cleaned,
        Err(Error::Refused(faults)) => {
            let fault = faults.first().map_or_else(String::new, |fault| fault.message.clone());
            remarks.push(untold(&format!("the bank's files cannot be read ({fault})"), "输入文件无法读取"));
            return Ok(None);
        }
        Err(other) => return Err(other),
    };
    let moved_on = inputs(&new.made_from.inputs, &cleaned.files);
    if !moved_on.is_empty() {
        let tables: Vec<String> = moved_on.iter().map(|input| format!("`{}`", input.table)).collect();
        let en = format!("the bank's files of {} are others by now", tables.join(", "));
        remarks.push(untold(&en, &format!("{}的文件已更换", tables.join("、"))));
        return Ok(None);
    }
    Meanwhile::of(cleaned, old.as_of, new.as_of, rulebook, contracts).map(Some)
}

fn untold(en: &str, zh: &str) -> Texts {
    Texts {
        en: format!("{en}: what came from inputs and what from time passing cannot be told apart everywhere"),
        zh: format!("{zh}：部分变动无法区分数据变化与时间推移"),
    }
}

/// What a reader should know of the rules that causes were worked out by.
pub fn remarks(from: &Side, to: &Side, rulebook: &Rulebook) -> Vec<Texts> {
    let (old, new) = (&from.description.made_from, &to.description.made_from);
    let mut remarks = Vec::new();
    if rulebook.digest != new.rulebook_digest {
        remarks.push(Texts {
            en: "the rulebook is not that of the later run any more: causes were worked out from what the runs say alone"
                .into(),
            zh: "当前制度已非后一次运行所用制度：原因仅据两次运行的结果推断".into(),
        });
    }
    if old.program_version != new.program_version {
        remarks.push(Texts {
            en: "the runs were made by two versions of the program: what they compute otherwise is told as a rule"
                .into(),
            zh: "两次运行的程序版本不同：计算方法的差异计入制度变化".into(),
        });
    }
    remarks
}

/// The version of a policy as manifests write it.
pub fn version_head(version: &VersionInForce) -> VersionHead {
    VersionHead {
        valid_from: version.valid_from.to_string(),
        last_checked: version.last_checked.to_string(),
        source: version.source.id.clone(),
        provision: version.source.provision.clone(),
    }
}

/// Policy files whose text differs between two rulebooks.
pub fn policy_files(from: &RulebookPlace, to: &RulebookPlace) -> Result<Vec<String>> {
    let (old, new) = (from.texts()?, to.texts()?);
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    Ok(names.into_iter().filter(|name| old.get(*name) != new.get(*name)).cloned().collect())
}
