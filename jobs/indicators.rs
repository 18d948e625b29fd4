//! `wellfield indicators`: the indicators of the bank, a branch, an area or a level, from published runs. Computes and
//! writes nothing; what is looked up and how it is worded is the library's.

use wellfield::contract::Contracts;
use wellfield::fault::Result;
use wellfield::listing::indicators::{self, Question};
use wellfield::read::bank::Bank;
use wellfield::read::published;
use wellfield::rulebook::{FACTS, Rulebook};

use crate::options::Indicators;
use crate::{prepare, terminal};

pub fn run(options: &Indicators) -> Result<()> {
    let runs = prepare::runs_folder(&options.bank, options.published.out.as_deref());
    let run = published::find(&runs, &options.published.run)?;
    // Names and digits are the catalogue's; the figures are the run's.
    let bank = Bank::open(&options.bank, &Contracts::built_in()?)?;
    let rulebook = Rulebook::load(&prepare::rulebook_place(&bank, options.rulebook.as_deref()), run.as_of, FACTS)?;
    let known = if options.since.is_some() { published::list(&runs)? } else { Vec::new() };
    let indicators = indicators::indicators(&run, &known, &rulebook.indicators, &question(options))?;
    match options.published.json {
        true => terminal::tell_json(&indicators),
        false => terminal::tell(indicators::in_words(&indicators, options.published.lang.into())),
    }
}

fn question(options: &Indicators) -> Question {
    Question {
        level: options.level,
        ref_id: options.ref_id.clone(),
        indicators: options.id.clone(),
        since: options.since,
    }
}
