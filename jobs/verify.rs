//! `wellfield verify`: every file of a published run against its manifest. Changes nothing; what is compared is the
//! library's.

use serde_json::json;
use wellfield::fault::{Error, Fault, Result};
use wellfield::listing::runs;
use wellfield::manifest;
use wellfield::read::published::{self, PublishedRun, Verified};

use crate::options::Verify;
use crate::{prepare, terminal};

pub fn run(options: &Verify) -> Result<()> {
    let runs = prepare::runs_folder(&options.bank, options.out.as_deref());
    let run = published::find_any(&runs, &options.run)?;
    let mut verified = published::verify(&run)?;
    verified.faults.extend(manifest::faults(&published::manifest_text(&run)?));
    if options.json {
        terminal::tell_json(&as_json(&run, &verified))?;
    } else if verified.faults.is_empty() {
        terminal::tell(runs::verified_in_words(&run, &verified))?;
    }
    if verified.faults.is_empty() { Ok(()) } else { Err(Error::CouldNotRun(verified.faults)) }
}

fn as_json(run: &PublishedRun, verified: &Verified) -> serde_json::Value {
    let fault = |fault: &Fault| json!({ "message": fault.message, "causes": fault.causes, "hint": fault.hint });
    json!({
        "as_of": run.as_of.to_string(),
        "run_id": run.run_id,
        "folder": run.folder,
        "files": verified.files,
        "bytes": verified.bytes,
        "faults": verified.faults.iter().map(fault).collect::<Vec<_>>(),
    })
}
