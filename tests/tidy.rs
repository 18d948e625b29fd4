//! The repository's own rules: the flow goes one way, few parts touch files, files and functions keep their size, the
//! README says what is true. What must bear one name in several places is in `tidy/names.rs`.

mod names;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::program::{self, wellfield};
use crate::support::{files_below, read, repository};

/// Everything that a visitor sees at the top.
const TOP_LEVEL: [&str; 9] =
    ["Cargo.lock", "Cargo.toml", "README.md", "benches", "jobs", "pipeline", "sample-data", "schemas", "tests"];
/// Parts of the library that may touch files: the three that the flow names, and what reads the system's clock and memory.
const WITH_FILES: [&str; 4] = ["publish", "read", "rulebook", "watch"];
const FUNCTION_LINES_MAX: usize = 70;
const HEAD_LINES_MAX: usize = 8;

fn rust_files(folders: &[&str]) -> Vec<PathBuf> {
    let is_rust = |path: &Path| path.extension().is_some_and(|end| end == "rs");
    folders.iter().flat_map(|folder| files_below(&repository().join(folder), &is_rust)).collect()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(repository()).unwrap_or(path).display().to_string()
}

fn is_none(found: &[String], what: &str) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

/// The modules of `lib.rs` in their order.
fn modules() -> Vec<String> {
    let lib = read(&repository().join("pipeline/lib.rs"));
    let named = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    named.map(String::from).collect()
}

/// The module of `lib.rs` to which a file of the pipeline belongs.
fn module_of(path: &Path) -> String {
    let below = path.strip_prefix(repository().join("pipeline")).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_string()
}

#[test]
fn no_stage_names_a_later_one() {
    let modules = modules();
    assert!(modules.len() > 10, "`lib.rs` lists {modules:?}");
    let mut found = Vec::new();
    for path in rust_files(&["pipeline"]) {
        let module = module_of(&path);
        let Some(own) = modules.iter().position(|other| *other == module) else {
            assert_eq!(module, "lib", "{} is no module of `lib.rs`", shown(&path));
            continue;
        };
        let text = without_tests(&path);
        assert!(!text.contains("crate::{"), "{}: name one module in each `use`", shown(&path));
        let used = text.split("crate::").skip(1).map(|rest| {
            rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap_or_default()
        });
        let later: BTreeSet<&str> =
            used.filter(|name| modules.iter().skip(own + 1).any(|later| later == name)).collect();
        found.extend(later.iter().map(|later| format!("{} uses `{later}`", shown(&path))));
    }
    is_none(&found, "data flows one way, in the order of `lib.rs`");
}

#[test]
fn only_read_rulebook_and_publish_touch_files() {
    let mut found = Vec::new();
    for path in rust_files(&["pipeline", "jobs"]) {
        let is_allowed =
            path.starts_with(repository().join("pipeline")) && WITH_FILES.contains(&module_of(&path).as_str());
        let code = without_tests(&path);
        let touches = ["std::fs", "File::", "fs::", "tempfile"].into_iter().find(|word| code.contains(word));
        if let Some(word) = touches.filter(|_| !is_allowed) {
            found.push(format!("{} says `{word}`", shown(&path)));
        }
    }
    is_none(&found, "files are opened and written elsewhere");
}

#[test]
fn only_watch_looks_at_a_clock() {
    let mut found = Vec::new();
    for path in rust_files(&["pipeline", "jobs"]) {
        let code = without_tests(&path);
        let clock = ["Instant::now", "SystemTime", "Local::now", "Utc::now", "env::var"];
        let word = clock.into_iter().find(|word| code.contains(word));
        if let Some(word) = word.filter(|_| shown(&path) != "pipeline/watch.rs") {
            found.push(format!("{} says `{word}`", shown(&path)));
        }
    }
    is_none(&found, "a run depends on its inputs alone");
}

#[test]
fn library_code_never_panics() {
    let mut found = Vec::new();
    for path in rust_files(&["pipeline", "jobs"]) {
        let code = without_tests(&path);
        for word in [".unwrap()", ".expect(", "panic!(", "todo!(", "unimplemented!(", "unreachable!("] {
            found.extend(code.contains(word).then(|| format!("{} says `{word}`", shown(&path))));
        }
    }
    is_none(&found, "only tests may stop like that");
}

/// A file's code without its unit tests, which stand at its end or in a file `tests.rs`.
fn without_tests(path: &Path) -> String {
    if path.ends_with("tests.rs") {
        return String::new();
    }
    let text = read(path);
    match text.split_once("#[cfg(test)]\nmod tests {") {
        Some((code, _)) => code.to_string(),
        None => text,
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let mut found = Vec::new();
    for path in rust_files(&["pipeline", "jobs", "tests", "benches"]) {
        let lines = read(&path).lines().take_while(|line| line.starts_with("//!")).count();
        if !(1..=HEAD_LINES_MAX).contains(&lines) {
            found.push(format!("{} opens with {lines} lines of `//!`", shown(&path)));
        }
    }
    is_none(&found, "each file opens with one to eight lines that say what it does");
}

#[test]
fn functions_fit_a_screen() {
    let mut found = Vec::new();
    for path in rust_files(&["pipeline", "jobs", "tests", "benches"]) {
        let text = read(&path);
        let mut open: Vec<(usize, usize, &str)> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let indentation = line.len() - line.trim_start().len();
            if is_function(line) {
                open.push((indentation, number, line.trim()));
            }
            // rustfmt puts the closing brace of a function under its first letter.
            if line.trim_end() == format!("{}}}", " ".repeat(indentation))
                && let Some((_, start, head)) = open.pop_if(|(other, _, _)| *other == indentation)
                && number - start >= FUNCTION_LINES_MAX
            {
                found.push(format!("{} line {}: {} lines: {head}", shown(&path), start + 1, number - start + 1));
            }
        }
    }
    is_none(&found, "functions longer than 70 lines");
}

/// Whether a line begins a function that has a body of its own lines.
fn is_function(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let is_head = words
        .by_ref()
        .take_while(|word| *word != "fn")
        .all(|word| word.starts_with("pub") || ["const", "async", "unsafe", "in", "crate)", "super)"].contains(&word));
    is_head && line.contains("fn ") && !line.trim_end().ends_with(['}', ';'])
}

#[test]
fn the_top_level_is_what_a_visitor_should_see() {
    let entries = std::fs::read_dir(repository()).unwrap().map(|entry| entry.unwrap().file_name());
    let visible: BTreeSet<String> = entries
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && name != "target")
        .collect();
    assert_eq!(visible, TOP_LEVEL.map(String::from).into());
}

#[test]
fn no_file_names_a_place_on_one_machine() {
    // Put together here, so that this file does not name them itself.
    let places = ["work", "root", "home"].map(|folder| format!("/{folder}/"));
    let is_ours =
        |path: &Path| !path.components().any(|part| part.as_os_str() == "runs" || part.as_os_str() == "exports");
    let visible = TOP_LEVEL.iter().map(|name| repository().join(name));
    let files = visible.flat_map(|path| if path.is_dir() { files_below(&path, &is_ours) } else { vec![path] });
    let hidden = [".LICENSE", ".ci/run", ".clippy.toml", ".deny.toml", ".gitignore", ".rustfmt.toml", ".typos.toml"];
    let mut found = Vec::new();
    for path in files.chain(hidden.iter().map(|name| repository().join(name)).filter(|path| path.exists())) {
        // What is no text, such as Parquet, names no places.
        let Ok(text) = String::from_utf8(std::fs::read(&path).unwrap()) else { continue };
        found.extend(
            places.iter().filter(|place| text.contains(*place)).map(|place| format!("{}: {place}", shown(&path))),
        );
    }
    is_none(&found, "paths of one machine");
}

#[test]
fn the_commands_of_the_readmes_exist() {
    let mut commands = 0;
    let is_readme = |path: &Path| path.ends_with("README.md");
    let readmes = ["schemas", "pipeline", "sample-data", "benches"].map(|folder| repository().join(folder));
    let below = readmes.iter().flat_map(|folder| files_below(folder, &is_readme));
    for path in below.chain([repository().join("README.md")]) {
        for line in read(&path).lines().map(str::trim) {
            let Some(arguments) = line.strip_prefix("cargo run --release -- ") else { continue };
            commands += 1;
            check_command(&path, line, &arguments.split_whitespace().collect::<Vec<_>>());
        }
    }
    assert!(commands > 5, "the READMEs show commands");
}

/// The verb and its options exist, and so does every path of the repository that the command names.
fn check_command(path: &Path, line: &str, arguments: &[&str]) {
    let help = program::run(wellfield().arg(arguments[0]).arg("--help"));
    assert_eq!(help.exit, 0, "{}: there is no verb in `{line}`", shown(path));
    for argument in &arguments[1..] {
        if argument.starts_with("--") {
            assert!(help.stdout.contains(argument), "{}: there is no option `{argument}`: `{line}`", shown(path));
        } else if argument.contains('/') {
            assert!(repository().join(argument).exists(), "{}: there is no `{argument}`: `{line}`", shown(path));
        }
    }
}

#[test]
fn every_bad_twin_is_told_in_its_readme() {
    let folder = repository().join("sample-data/bad");
    let readme = read(&folder.join("README.md"));
    for twin in files_below(&folder, &|path| path.ends_with("bank.toml")) {
        let name = twin.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        assert!(twin.with_file_name("expected.txt").is_file(), "{name} expects nothing");
        assert!(readme.contains(&format!("| {name} |")), "README.md does not tell of {name}");
    }
}
