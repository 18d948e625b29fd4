//! The first byte names a base table, the rest is the SQL condition of an indicator over it: the rulebook with that one
//! indicator is accepted, and then the indicator is made for the mini bank, or refused.

use wellfield::rulebook::RulebookPlace;
use wellfield::rulebook::indicators::parts::BaseTable;

use super::{choose, night, policies, scratch};

pub fn run(mut data: &[u8]) {
    let table = BaseTable::ALL[choose(&mut data, BaseTable::ALL.len())];
    let mut texts = RulebookPlace::BuiltIn.texts().expect("the built-in rulebook");
    texts.retain(|name, _| !name.starts_with("indicators/"));
    texts.insert("indicators/fuzzed.toml".into(), indicator(table.name(), &String::from_utf8_lossy(data)));
    if let Some(rulebook) = policies::check(&texts) {
        scratch::with_mini(|folder, contracts| night::check_mini(folder, &rulebook, contracts));
    }
}

fn indicator(table: &str, condition: &str) -> String {
    // As TOML writes any text: in its quotes, with what would end them or is no letter given by its number.
    let quoted: String = condition
        .chars()
        .map(|letter| match letter {
            '"' | '\\' => format!("\\{letter}"),
            letter if letter.is_control() => format!("\\u{:04x}", u32::from(letter)),
            letter => letter.to_string(),
        })
        .collect();
    format!(
        r#"policy = "indicators/fuzzed"
name = {{ en = "Fuzzed", zh = "试" }}

[[versions]]
valid_from = 2020-01-01
last_checked = 2026-06-30
source = {{ id = "plan_15", provision = "none" }}
version = "1"
dimension = "usage"
kind = "ratio"
unit = "share"
decimals = 4
direction = "up"
levels = ["bank"]
numerator = {{ id = "some", table = "{table}", measure = "count", where = "{quoted}" }}
denominator = {{ id = "all", table = "{table}", measure = "count" }}
"#
    )
}
