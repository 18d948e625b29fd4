//! The documents that a rulebook rests on: the built-in list and the entries that a bank adds to it.
//! Every policy, and every single value with another source, points at one of them by id.

use super::findings::Findings;
use super::table::{File, Table};
use crate::calendar::Date;
use std::collections::BTreeMap;

/// The same words in English and Chinese.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    pub en: String,
    pub zh: String,
}

/// A document: what it is called, whose it is and when it was published (None where it bears no date).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub id: String,
    pub title: Wording,
    pub issuer: Wording,
    pub date: Option<Date>,
}

/// Where a value comes from: the id of a source, and the provision of it that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceReference {
    pub id: String,
    pub provision: String,
}

/// The sources that may be named.
pub(super) struct Sources {
    pub(super) by_id: BTreeMap<String, Source>,
    /// False when a list could not be read; then an unknown id may be no fault of the policy that names it.
    is_whole: bool,
}

impl Sources {
    /// Reads the lists in order; a later list adds to the earlier ones and may repeat, but not change, their entries.
    pub(super) fn read(lists: &[(&str, &str)], findings: &Findings) -> Self {
        let mut sources = Sources { by_id: BTreeMap::new(), is_whole: true };
        for &(shown, text) in lists {
            let file = File { shown, text, findings };
            if sources.add(file).is_none() {
                sources.is_whole = false;
            }
        }
        sources
    }

    fn add(&mut self, file: File<'_>) -> Option<()> {
        let document = file.parse()?;
        let top = Table::whole(file, &document);
        let entries = top.tables("sources");
        top.close();
        let mut is_whole = true;
        for entry in entries? {
            match read_source(&entry) {
                Some(source) => self.insert(&entry, source),
                None => is_whole = false,
            }
        }
        is_whole.then_some(())
    }

    fn insert(&mut self, entry: &Table<'_>, source: Source) {
        if self.by_id.get(&source.id).is_some_and(|known| *known != source) {
            let hint = "every source is listed once; give this one an id of its own";
            entry.fault("id", &format!("the source `{}` is already listed with other words", source.id), hint);
        } else {
            self.by_id.insert(source.id.clone(), source);
        }
    }

    /// The `{ id, provision }` under a key, with an id that is listed.
    pub(super) fn reference(&self, table: &Table<'_>, key: &str) -> Option<SourceReference> {
        let entry = table.table(key)?;
        let id = entry.text("id");
        let provision = entry.text("provision");
        entry.close();
        let (id, provision) = (id?, provision?);
        if self.is_whole && !self.by_id.contains_key(&id) {
            let hint = "name a source of sources.toml, or add this one to the sources.toml of your rulebook folder";
            entry.fault("id", &format!("the source `{id}` is not in sources.toml"), hint);
            return None;
        }
        Some(SourceReference { id, provision })
    }
}

fn read_source(entry: &Table<'_>) -> Option<Source> {
    let id = entry.label("id");
    let title = wording(entry, "title");
    let issuer = wording(entry, "issuer");
    let date = entry.has("date").then(|| entry.date("date"));
    entry.close();
    Some(Source { id: id?, title: title?, issuer: issuer?, date: date.map_or(Some(None), |date| date.map(Some))? })
}

/// The `{ en, zh }` under a key.
pub(super) fn wording(table: &Table<'_>, key: &str) -> Option<Wording> {
    let entry = table.table(key)?;
    let (en, zh) = (entry.text("en"), entry.text("zh"));
    entry.close();
    Some(Wording { en: en?, zh: zh? })
}
