//! Progress on stderr: a bar for a person at a terminal, one line per stage in cron, JSON lines with run id and stage for
//! machines. Results never go here, nor does anything of a household.

use std::cell::RefCell;
use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use wellfield::fault::Error;
use wellfield::watch::{Progress, STAGES, StageCost};

use crate::options::LogForm;
use crate::terminal;

pub struct Log {
    form: LogForm,
    bar: Option<ProgressBar>,
    /// None until the inputs are known.
    run_id: RefCell<Option<String>>,
    /// The stage that runs or ran last; None before the first.
    stage: RefCell<Option<String>>,
}

impl Log {
    pub fn new(form: LogForm) -> Log {
        let has_bar = form == LogForm::Text && std::io::stderr().is_terminal();
        let bar = has_bar.then(|| {
            let bar = ProgressBar::new(STAGES.len() as u64);
            if let Ok(style) = ProgressStyle::with_template("{bar:20} {pos}/{len} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Log { form, bar, run_id: RefCell::new(None), stage: RefCell::new(None) }
    }

    /// From here on lines carry the run's id.
    pub fn name_run(&self, run_id: &str) {
        self.run_id.replace(Some(run_id.to_string()));
        self.line("run", &format!("run {run_id}"), &json!({}));
    }

    pub fn progress(&self, progress: &Progress) {
        match progress {
            Progress::Begun(stage) => {
                self.stage.replace(Some(stage.clone()));
                if let Some(bar) = &self.bar {
                    bar.set_message(stage.clone());
                }
            }
            Progress::Ended(cost) => self.stage_ended(cost),
        }
    }

    fn stage_ended(&self, cost: &StageCost) {
        let text = format!("{:<10} {:>12} rows {:>8.2} s", cost.stage, cost.rows, cost.seconds);
        self.line("stage", &text, &json!(cost));
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// Something that a reader should know though nothing is refused.
    pub fn remark(&self, text: &str) {
        self.line("note", &format!("note: {text}"), &json!({ "message": text }));
    }

    /// Every fault that ended the night, once the bar is gone.
    pub fn faults(&self, error: &Error) {
        if self.form == LogForm::Text {
            return terminal::faults(error);
        }
        for fault in error.faults() {
            let (message, causes, hint) = (&fault.message, &fault.causes, &fault.hint);
            let exit_code = error.exit_code();
            self.object(
                "fault",
                &json!({ "exit_code": exit_code, "message": message, "causes": causes, "hint": hint }),
            );
        }
    }

    /// One line in the log's form.
    fn line(&self, event: &str, text: &str, fields: &Value) {
        match (&self.bar, self.form) {
            (Some(bar), _) => bar.println(text),
            (None, LogForm::Text) => terminal::note(text),
            (None, LogForm::Json) => self.object(event, fields),
        }
    }

    fn object(&self, event: &str, fields: &Value) {
        let mut line = json!({ "event": event, "run_id": *self.run_id.borrow(), "stage": *self.stage.borrow() });
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
