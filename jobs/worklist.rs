//! `wellfield worklist`: what an officer has to do next, from a published run. Computes and writes nothing; what is
//! looked up and how it is worded is the library's.

use wellfield::fault::Result;
use wellfield::listing::work_list;
use wellfield::read::published;

use crate::options::Worklist;
use crate::{prepare, terminal};

pub fn run(options: &Worklist) -> Result<()> {
    let runs = prepare::runs_folder(&options.bank, options.published.out.as_deref());
    let run = published::find(&runs, &options.published.run)?;
    let language = options.published.lang.into();
    let list = work_list::work_list(&run, &options.officer, options.due_by, language)?;
    match options.published.json {
        true => terminal::tell_json(&list),
        false => terminal::tell(work_list::in_words(&list, language)),
    }
}
