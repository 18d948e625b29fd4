//! Progress on stderr: a bar for a person at a terminal, one line per stage in cron, one JSON object per stage for
//! machines. Results never go here, nor does anything of a household.

use std::cell::RefCell;
use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use wellfield::watch::StageCost;

use crate::options::LogForm;
use crate::terminal;

/// Stages of a night, for the length of the bar.
const STAGES: u64 = 10;

pub struct Log {
    form: LogForm,
    bar: Option<ProgressBar>,
    run_id: RefCell<Option<String>>,
}

impl Log {
    pub fn new(form: LogForm) -> Log {
        let has_bar = form == LogForm::Text && std::io::stderr().is_terminal();
        let bar = has_bar.then(|| {
            let bar = ProgressBar::new(STAGES);
            if let Ok(style) = ProgressStyle::with_template("{bar:20} {pos}/{len} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Log { form, bar, run_id: RefCell::new(None) }
    }

    /// From here on lines carry the run's id.
    pub fn name_run(&self, run_id: &str) {
        self.run_id.replace(Some(run_id.to_string()));
    }

    pub fn stage(&self, cost: &StageCost) {
        let line = format!("{:<10} {:>12} rows {:>8.2} s", cost.stage, cost.rows, cost.seconds);
        match (&self.bar, self.form) {
            (Some(bar), _) => {
                bar.set_message(cost.stage.clone());
                bar.println(line);
                bar.inc(1);
            }
            (None, LogForm::Text) => terminal::note(line),
            (None, LogForm::Json) => self.object("stage", &json!(cost)),
        }
    }

    /// Something that a reader should know though nothing is refused.
    pub fn remark(&self, text: &str) {
        match (&self.bar, self.form) {
            (Some(bar), _) => bar.println(format!("note: {text}")),
            (None, LogForm::Text) => terminal::note(format!("note: {text}")),
            (None, LogForm::Json) => self.object("note", &json!({ "message": text })),
        }
    }

    fn object(&self, event: &str, fields: &serde_json::Value) {
        let mut line = json!({ "event": event, "run_id": *self.run_id.borrow() });
        if let (Some(line), Some(fields)) = (line.as_object_mut(), fields.as_object()) {
            line.extend(fields.clone());
        }
        terminal::note(line);
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
