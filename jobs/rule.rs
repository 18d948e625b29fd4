//! `wellfield rule`: what a name means, which version of it is in force, and where it comes from.

use wellfield::calendar::Date;
use wellfield::contract::Contracts;
use wellfield::definitions::{self, Definition, Texts};
use wellfield::fault::Result;
use wellfield::rulebook::{FACTS, Rulebook, RulebookPlace};

use crate::options::{Language, Rule};
use crate::terminal;

pub fn run(options: &Rule) -> Result<()> {
    let contracts = Contracts::built_in()?;
    let newest = Date::from_ymd(9999, 12, 31).unwrap_or(Date(i32::MAX));
    let place = options.rulebook.clone().map_or(RulebookPlace::BuiltIn, RulebookPlace::Folder);
    let rulebook = Rulebook::load(&place, options.as_of.unwrap_or(newest), FACTS)?;
    let found = definitions::find(&options.id, &rulebook, &contracts)?;
    if options.json {
        return terminal::tell_json(&found);
    }
    let shown: Vec<String> = found.iter().map(|definition| in_words(definition, options.lang)).collect();
    terminal::tell(shown.join("\n\n"))
}

fn in_words(definition: &Definition, language: Language) -> String {
    let pick = |text: &Texts| language.pick(&text.en, &text.zh).to_string();
    let mut lines = vec![format!("{} ({})", definition.id, kind(definition.kind, language))];
    lines.push(format!("  {}", pick(&definition.meaning)));
    lines.extend(definition.details.iter().map(|detail| format!("  {}: {}", pick(&detail.label), pick(&detail.value))));
    if let Some(version) = &definition.version {
        let labels = match language {
            Language::En => ["in force since", "last checked", "source"],
            Language::Zh => ["生效日期", "最近核对", "依据"],
        };
        lines.push(format!("  {}: {} ({})", labels[0], version.valid_from, version.file));
        lines.push(format!("  {}: {}", labels[1], version.last_checked));
        let (title, issuer) = (pick(&version.source_title), pick(&version.source_issuer));
        let issued = version.source_date.iter().fold(issuer, |issuer, date| format!("{issuer}, {date}"));
        let [open, close] = if language == Language::En { [" (", ")"] } else { ["（", "）"] };
        let (provision, source) = (&version.provision, &version.source);
        lines.push(format!("  {}: {title}{open}{issued}{close}, {provision} [{source}]", labels[2]));
    }
    lines.join("\n")
}

fn kind(kind: &str, language: Language) -> &str {
    match (kind, language) {
        ("fact", Language::Zh) => "指标事实",
        ("characteristic", Language::Zh) => "评分项",
        ("veto", Language::Zh) => "一票否决",
        ("visit_flag", Language::Zh) => "走访标记",
        ("quarantine_rule", Language::Zh) => "隔离规则",
        ("indicator", Language::Zh) => "普惠金融指标",
        ("policy", Language::Zh) => "政策文件",
        ("table", Language::Zh) => "数据表",
        ("base_table", Language::Zh) => "指标基础表",
        ("base_column", Language::Zh) => "指标基础表的列",
        ("visit_flag", Language::En) => "visit flag",
        ("quarantine_rule", Language::En) => "quarantine rule",
        ("base_table", Language::En) => "base table of indicators",
        ("base_column", Language::En) => "column of base table",
        (kind, _) => kind,
    }
}
