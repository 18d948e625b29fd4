//! The figures as JSON and as the two tables of `benches/README.md`, with the machine and the day.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use wellfield::calendar::Date;

use super::Outcome;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/README.md");
/// What stands around the tables in the README.
const BEGIN: &str = "<!-- figures: written by `cargo bench --bench nightly -- --record` -->\n";
const END: &str = "<!-- end of figures -->\n";

/// Everything that was measured, and where and when.
pub fn figures(as_of: &str, threads: usize, sizes: Vec<Value>) -> Outcome<Value> {
    let days = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / 86_400;
    let [processors, memory] = ["/proc/cpuinfo", "/proc/meminfo"].map(std::fs::read_to_string);
    let processors = processors?;
    let mut models = processors.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = models.next().map_or("unknown", |(_, model)| model);
    let memory = memory?;
    let kilobytes = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
    let gibibytes = kilobytes.and_then(|kilobytes| kilobytes.parse::<f64>().ok()).unwrap_or(0.0) / f64::from(1 << 20);
    let cores = std::thread::available_parallelism()?;
    Ok(json!({
        "machine": format!("{cores} cores of {model}, {gibibytes:.0} GiB"), "date": Date(days as i32).to_string(),
        "as_of": as_of, "threads": threads, "sizes": sizes,
    }))
}

/// Both tables with a line that says where they come from.
pub fn tables(figures: &Value) -> String {
    let sizes = figures["sizes"].as_array().map_or(&[][..], Vec::as_slice);
    let word = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let engine = sizes.iter().find_map(|size| size["peer"]["engine"].as_str()).unwrap_or("not there");
    let head = format!(
        "{}, threads: {}, {}; as of {}, files in the page cache; peer: {engine}.\n",
        word(&figures["machine"]),
        figures["threads"],
        word(&figures["date"]),
        word(&figures["as_of"]),
    );
    format!("{head}\n{}\n{}", by_size(sizes), by_stage(sizes))
}

fn by_size(sizes: &[Value]) -> String {
    let columns = [
        "households",
        "rows read",
        "night",
        "floor: read",
        "floor: write tables",
        "floor: write all",
        "night / floor",
        "night / floor of tables alone",
        "peer",
        "night / peer",
        "rows/s",
        "peak memory",
        "peer's peak",
        "bytes out a household",
    ];
    let mut lines = vec![line(&columns.map(String::from)), line(&columns.map(|_| "---:".to_string()))];
    for size in sizes {
        let (night, floor, peer) = (&size["night"], &size["floor"], &size["peer"]);
        lines.push(line(&[
            whole(&size["households"]),
            cell(&size["rows_read"], |rows| format!("{:.2} M", rows / 1e6)),
            seconds(&night["seconds"]),
            seconds(&floor["read"]["seconds"]),
            seconds(&floor["write"]["seconds"]),
            seconds(&floor["write_all"]["seconds"]),
            ratio(&size["ratio_to_floor_of_all"]),
            ratio(&size["ratio_to_floor"]),
            seconds(&peer["seconds"]),
            ratio(&size["ratio_to_peer"]),
            cell(&size["rows_per_second"], |rows| format!("{:.2} M", rows / 1e6)),
            mebibytes(&night["peak_memory_bytes"]),
            mebibytes(&peer["peak_memory_bytes"]),
            whole(&size["output_bytes_per_household"]),
        ]));
    }
    lines.concat()
}

/// The program's stages in their order, then what only the peer tells apart; for each size both.
fn by_stage(sizes: &[Value]) -> String {
    let ours = |size: &Value, stage: &str| {
        let stages = size["night"]["stages"].as_array().into_iter().flatten();
        seconds(stages.clone().find(|cost| cost["stage"] == stage).map_or(&Value::Null, |cost| &cost["seconds"]))
    };
    let mut stages: Vec<&str> = Vec::new();
    for size in sizes {
        let of_night = size["night"]["stages"].as_array().into_iter().flatten();
        let of_peer = size["peer"]["stages"].as_object().into_iter().flat_map(|stages| stages.keys());
        for stage in of_night.filter_map(|cost| cost["stage"].as_str()).chain(of_peer.map(String::as_str)) {
            if !stages.contains(&stage) {
                stages.push(stage);
            }
        }
    }
    let mut head = vec!["stage".to_string()];
    head.extend(sizes.iter().flat_map(|size| [whole(&size["households"]), "peer".to_string()]));
    let rule: Vec<String> = (0..head.len()).map(|column| if column == 0 { "---" } else { "---:" }.into()).collect();
    let mut lines = vec![line(&head), line(&rule)];
    for stage in stages {
        let mut cells = vec![stage.to_string()];
        cells.extend(sizes.iter().flat_map(|size| [ours(size, stage), seconds(&size["peer"]["stages"][stage])]));
        lines.push(line(&cells));
    }
    lines.concat()
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// A number in its form; nothing where there is none.
fn cell(value: &Value, form: impl Fn(f64) -> String) -> String {
    value.as_f64().map(form).unwrap_or_default()
}

fn seconds(value: &Value) -> String {
    cell(value, |seconds| format!("{seconds:.2} s"))
}

fn ratio(value: &Value) -> String {
    cell(value, |ratio| format!("{ratio:.2}"))
}

fn mebibytes(value: &Value) -> String {
    cell(value, |bytes| format!("{:.0} MiB", bytes / f64::from(1 << 20)))
}

/// With a comma before every third digit.
fn whole(value: &Value) -> String {
    cell(value, |number| {
        let digits = format!("{number:.0}");
        let is_third = |place: usize| place > 0 && (digits.len() - place).is_multiple_of(3);
        digits
            .chars()
            .enumerate()
            .flat_map(|(place, digit)| is_third(place).then_some(',').into_iter().chain([digit]))
            .collect()
    })
}

/// Puts the tables between the README's marks.
pub fn record(figures: &Value) -> Outcome<()> {
    let text = std::fs::read_to_string(README)?;
    let (before, rest) = text.split_once(BEGIN).ok_or("`benches/README.md` has no place for figures")?;
    let (_, after) = rest.split_once(END).ok_or("the place for figures does not end")?;
    Ok(std::fs::write(README, format!("{before}{BEGIN}\n{}\n{END}{after}", tables(figures)))?)
}
