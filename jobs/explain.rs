//! `wellfield explain`.
use crate::options::Explain;
use wellfield::fault::Result;
pub fn run(_options: &Explain) -> Result<()> {
    Ok(())
}
