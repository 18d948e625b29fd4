//! `wellfield generate`: a synthetic bank of any size, the same bytes for the same options on any number of threads.

use wellfield::fault::Result;
use wellfield::generate::{self, Options};
use wellfield::publish::bank_files::{BankForm, BankWriter};

use crate::options::{FileForm, Generate};
use crate::{terminal, threads};

pub fn run(options: &Generate) -> Result<()> {
    let mut bank = Options::new(options.households, options.seed, options.as_of);
    bank.months = options.months;
    bank.visits_per_household = options.visits;
    bank.townships = options.townships;
    bank.shape = options.shape.into();
    bank.check()?;
    threads::start(options.threads)?;
    let form = match options.format {
        FileForm::Csv => BankForm::Csv,
        FileForm::Parquet => BankForm::Parquet,
    };
    let name = format!("Synthetic bank of {} households, seed {}", options.households, options.seed);
    let mut writer = BankWriter::create(&options.folder, form, &name)?;
    generate::generate(&bank, &mut |rows| writer.write(rows))?;
    writer.finish()?;
    terminal::tell(options.folder.display())
}
