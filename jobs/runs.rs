//! `wellfield runs`: the published runs of a bank. Changes nothing; what is looked up and how it is worded is the
//! library's.

use wellfield::fault::Result;
use wellfield::listing::runs;
use wellfield::publish;
use wellfield::read::published;

use crate::options::Runs;
use crate::{prepare, terminal};

pub fn run(options: &Runs) -> Result<()> {
    let folder = prepare::runs_folder(&options.bank, options.out.as_deref());
    let runs = runs::Runs { survey: published::survey(&folder)?, leftovers: publish::leftovers(&folder)? };
    match options.json {
        true => terminal::tell_json(&runs),
        false => terminal::tell(runs::in_words(&runs, &folder.to_string_lossy())),
    }
}
