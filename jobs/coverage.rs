//! `wellfield coverage`: how far the bank, a branch or an area is covered, from a published run. Computes and writes
//! nothing; what is looked up and how it is worded is the library's.

use wellfield::fault::Result;
use wellfield::listing::coverage::{self, Scope};
use wellfield::read::published;

use crate::options::Coverage;
use crate::{prepare, terminal};

pub fn run(options: &Coverage) -> Result<()> {
    let runs = prepare::runs_folder(&options.bank, options.published.out.as_deref());
    let run = published::find(&runs, &options.published.run)?;
    let coverage = coverage::coverage(&run, scope(options))?;
    match options.published.json {
        true => terminal::tell_json(&coverage),
        false => terminal::tell(coverage::in_words(&coverage, options.published.lang.into())),
    }
}

fn scope(options: &Coverage) -> Scope {
    match (&options.branch, &options.area) {
        (Some(branch), _) => Scope::Branch(branch.clone()),
        (None, Some(area)) => Scope::Area(area.clone()),
        (None, None) => Scope::Bank,
    }
}
