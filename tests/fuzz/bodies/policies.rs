//! The first byte names a file of the built-in rulebook, the second how the rest comes into it: as the whole file, or in
//! place of some of its bytes. The rulebook is loaded, accepted or refused.

use wellfield::fault::Result;
use wellfield::rulebook::{FACTS, Rulebook, RulebookPlace, RulebookTexts};

use super::{as_of, choose, refusal, scratch};

/// As a bank would name its folder; nothing is read from there.
const FOLDER: &str = "rules";
/// The catalogue is long, and loading it is most of the time; a few indicators show how one is read.
const INDICATORS_KEPT: [&str; 3] =
    ["indicators/granting_share.toml", "indicators/nearest_point_p90_m.toml", "indicators/all_growth.toml"];
/// The list of sources is no file of the built-in folder, and may be one of a bank's.
const SOURCES: &str = "sources.toml";

pub fn run(mut data: &[u8]) {
    let built_in = RulebookPlace::BuiltIn.texts().expect("the built-in rulebook");
    let mut names: Vec<&str> = built_in.keys().map(String::as_str).collect();
    names.push(SOURCES);
    let name = names[choose(&mut data, names.len())];
    let text = changed(built_in.get(name).map_or("", String::as_str), data);
    let mut texts: RulebookTexts = built_in
        .iter()
        .filter(|(other, _)| !other.starts_with("indicators/") || INDICATORS_KEPT.contains(&other.as_str()))
        .map(|(other, text)| (other.clone(), text.clone()))
        .collect();
    texts.insert(name.to_string(), text);
    check(&texts);
}

/// The bytes after the first are the whole file; or they stand, from a place on, instead of some bytes of the file.
fn changed(original: &str, mut data: &[u8]) -> String {
    let is_whole = choose(&mut data, 2) == 0;
    if is_whole {
        return String::from_utf8_lossy(data).into_owned();
    }
    let place = choose(&mut data, 256) * 256 + choose(&mut data, 256);
    let from = place % (original.len() + 1);
    let to = original.len().min(from + choose(&mut data, 256));
    let bytes = original.as_bytes();
    String::from_utf8_lossy(&[&bytes[..from], data, &bytes[to..]].concat()).into_owned()
}

/// Loads a rulebook: a sound one knows where its values come from, another is refused with files and hints.
pub fn check(texts: &RulebookTexts) -> Option<Rulebook> {
    let outcome = load(texts);
    match &outcome {
        Ok(rulebook) => {
            assert_eq!(rulebook.digest.len(), 64, "a digest in hexadecimal");
            for version in &rulebook.in_force {
                assert!(
                    version.valid_from <= as_of() && version.valid_to.is_none_or(|day| as_of() < day),
                    "{version:?}"
                );
                assert!(version.file.starts_with(FOLDER) || version.file.starts_with("policies/"), "{version:?}");
            }
        }
        Err(error) => {
            refusal::check(error, &[&format!("`{FOLDER}"), "`policies/"]);
            assert_eq!(error.exit_code(), 3);
            for fault in error.faults() {
                assert!(fault.hint.as_ref().is_some_and(|hint| !hint.is_empty()), "no hint: {}", fault.report());
            }
        }
    }
    // Loading takes most of the time, so only some are loaded again.
    if texts.values().map(String::len).sum::<usize>() % 4 == 0 {
        assert_eq!(described(&outcome), described(&load(texts)), "the same bytes twice");
    }
    outcome.ok()
}

fn described(outcome: &Result<Rulebook>) -> String {
    match outcome {
        Ok(rulebook) => format!("{rulebook:?}"),
        Err(error) => format!("{:?}", error.faults()),
    }
}

fn load(texts: &RulebookTexts) -> Result<Rulebook> {
    let place = RulebookPlace::Folder(FOLDER.into());
    scratch::with_mini(|_, contracts| Rulebook::from_texts(&place, texts, as_of(), FACTS, contracts))
}
