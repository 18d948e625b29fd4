//! The built program, run from the repository's root as a user runs it, and what came of it in one text.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::repository;

/// Exit code, stdout and stderr of one run.
pub struct Outcome {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The program, to be given its arguments.
pub fn wellfield() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wellfield"));
    command.current_dir(repository());
    command
}

pub fn run(command: &mut Command) -> Outcome {
    let output = command.output().expect("the program starts");
    Outcome {
        exit: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A night of a bank, with further arguments.
pub fn nightly(bank: &Path, as_of: &str, arguments: &[&str]) -> Outcome {
    run(wellfield().arg("nightly").arg(bank).args(["--as-of", as_of]).args(arguments))
}

/// A night that must be published; its folder.
pub fn published_night(bank: &Path, as_of: &str, arguments: &[&str]) -> PathBuf {
    let outcome = nightly(bank, as_of, arguments);
    assert_eq!(outcome.exit, 0, "a night of {} ended with\n{}", bank.display(), outcome.shown(&[]));
    let folder = outcome.stdout.lines().next_back().expect("the published folder is the last line of stdout");
    repository().join(folder)
}

/// A synthetic bank of contract-shaped CSV files.
pub fn generate(folder: &Path, households: u32, seed: u32, as_of: &str) {
    let outcome = run(wellfield().arg("generate").arg(folder).args([
        "--households",
        &households.to_string(),
        "--seed",
        &seed.to_string(),
        "--as-of",
        as_of,
        "--format",
        "csv",
    ]));
    assert_eq!(outcome.exit, 0, "generate ended with\n{}", outcome.shown(&[]));
}

impl Outcome {
    /// All three in one text, with what differs from machine to machine and from day to day replaced: the given
    /// texts, seconds, and run ids.
    pub fn shown(&self, replaced: &[(&str, &str)]) -> String {
        let mut text = format!("exit: {}", self.exit);
        for (stream, printed) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !printed.is_empty() {
                text.push_str(&format!("\n--- {stream}\n{}", printed.trim_end()));
            }
        }
        for (from, to) in replaced {
            text = text.replace(from, to);
        }
        let lines: Vec<String> = text.lines().map(|line| without_run_id(&without_seconds(line))).collect();
        lines.join("\n")
    }
}

/// `clean   12 rows     0.04 s` with its measured seconds left out.
fn without_seconds(line: &str) -> String {
    let measured = line.strip_suffix(" s").and_then(|rest| rest.rsplit_once(' '));
    match measured {
        Some((before, seconds)) if seconds.parse::<f64>().is_ok() => format!("{} [seconds] s", before.trim_end()),
        _ => line.to_string(),
    }
}

/// A run id is the digest of everything that a run is made from, so it changes with every version of the program.
fn without_run_id(line: &str) -> String {
    const LENGTH: usize = 20;
    let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    let bytes = line.as_bytes();
    let starts = (0..bytes.len().saturating_sub(LENGTH - 1)).find(|&start| {
        let is_alone = (start == 0 || !bytes[start - 1].is_ascii_alphanumeric())
            && bytes.get(start + LENGTH).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        is_alone && bytes[start..start + LENGTH].iter().all(is_digit)
    });
    match starts {
        Some(start) => format!("{}[run]{}", &line[..start], without_run_id(&line[start + LENGTH..])),
        None => line.to_string(),
    }
}
