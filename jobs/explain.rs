//! `wellfield explain`: recomputes the night of a published run, or of a day without one, and explains one household
//! of it. Writes nothing; what is explained and how it is worded is the library's.

use std::path::Path;

use wellfield::calendar::Date;
use wellfield::explanation::{self, Explanation, Origin, Subject};
use wellfield::fault::{Error, Fault, Result};
use wellfield::night;
use wellfield::read::published::{self, PublishedRun};
use wellfield::watch::Watch;

use crate::options::Explain;
use crate::prepare::{self, Prepared};
use crate::terminal;

pub fn run(options: &Explain) -> Result<()> {
    let language = options.lang.into();
    let explanation = explain(options, language)?;
    match options.json {
        true => terminal::tell_json(&explanation),
        false => terminal::tell(explanation::in_words(&explanation, language)),
    }
}

fn explain(options: &Explain, language: explanation::Language) -> Result<Explanation> {
    let runs = prepare::runs_folder(&options.bank, options.out.as_deref());
    let asked = asked(options, &runs)?;
    let mut untold = |_: &_| ();
    let mut watch = Watch::new(&mut untold);
    let Prepared { contracts, bank, rulebook, cleaned } =
        prepare::prepare(&options.bank, asked.as_of, options.rulebook.as_deref(), &mut watch)?;
    let number = explanation::locate(&cleaned, asked.as_of, &options.household)?;
    let previous = prepare::previous(asked.previous.as_ref())?;
    let run_id = night::made_from(&bank, &cleaned.files, &rulebook, &previous).run_id(asked.as_of);
    let origin = origin(run_id, asked.published.as_ref(), &runs, &options.household)?;
    let night = night::rate(cleaned, &previous, &rulebook, &contracts, &mut watch)?;
    let subject = Subject::of(&night, &previous, &rulebook, &contracts, number, language)?;
    explanation::explain(&subject, &origin)
}

/// Which night is asked for.
struct Asked {
    as_of: Date,
    published: Option<PublishedRun>,
    /// The run that it looks back at.
    previous: Option<PublishedRun>,
}

fn asked(options: &Explain, runs: &Path) -> Result<Asked> {
    if let Some(as_of) = options.as_of {
        let previous = prepare::previous_run(runs, options.previous.as_deref(), as_of)?;
        return Ok(Asked { as_of, published: None, previous });
    }
    if options.run.is_none() && published::list(runs)?.is_empty() {
        let fault = Fault::new(format!("no run is published in `{}`", runs.display()));
        let hint = "publish one with `wellfield nightly`, or explain a day without one with `--as-of DATE`";
        return Err(Error::could_not_run(fault.hint(hint)));
    }
    let published = published::find(runs, options.run.as_deref().unwrap_or("latest"))?;
    let hint = format!("bring it back, or explain the day anew with `--as-of {}`", published.as_of);
    let previous = prepare::looked_back_at(&published, runs, &hint)?;
    Ok(Asked { as_of: published.as_of, published: Some(published), previous })
}

/// Lays the night beside the published run that was asked for, or beside one with its own id.
fn origin(run_id: String, published: Option<&PublishedRun>, runs: &Path, household: &str) -> Result<Origin> {
    let Some(published) = published else {
        let same = published::list(runs)?.into_iter().find(|run| run.run_id == run_id);
        return Ok(Origin { published_run_id: same.map(|run| run.run_id), run_id, published: None });
    };
    let mut origin = Origin { published_run_id: Some(published.run_id.clone()), run_id, published: None };
    if published.run_id != origin.run_id {
        let households = published::previous(published)?.households;
        origin.published = households.into_iter().find(|known| known.household_id == household);
    }
    Ok(origin)
}
