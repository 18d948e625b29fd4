//! SDMX-CSV 2.1 as strictly as a receiver may read it: the columns and their order, the words and forms of every field,
//! keys, the code list, and the quoting of RFC 4180. The checker reads the bytes itself; made-up bad lines show that it
//! sees what it should.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::disclosure::{AS_OF, sample_night};

const COLUMNS: [&str; 15] = [
    "STRUCTURE",
    "STRUCTURE_ID",
    "ACTION",
    "FREQ",
    "REF_AREA",
    "INDICATOR",
    "BREAKDOWN",
    "TIME_PERIOD",
    "OBS_VALUE",
    "NUMERATOR",
    "DENOMINATOR",
    "UNIT_MEASURE",
    "OBS_STATUS",
    "DEF_VERSION",
    "VINTAGE",
];
/// What names an observation.
const KEY: [&str; 5] = ["FREQ", "REF_AREA", "INDICATOR", "BREAKDOWN", "TIME_PERIOD"];
/// The columns of the code list that are looked at.
const CODE_LIST: [&str; 3] = ["REF_AREA", "LEVEL", "PARENT"];

/// Everything that is wrong with an export, each with its line.
fn faults(indicators: &[u8], ref_areas: &[u8]) -> Vec<String> {
    let (rows, codes) = match (read(indicators), read(ref_areas)) {
        (Ok(rows), Ok(codes)) => (rows, codes),
        (Err(fault), _) | (_, Err(fault)) => return vec![fault],
    };
    let (Some((header, rows)), Some((code_header, codes))) = (rows.split_first(), codes.split_first()) else {
        return vec!["a file has no header".to_string()];
    };
    if *header != COLUMNS || !code_header.starts_with(&CODE_LIST.map(String::from)) {
        return vec![format!("the columns are {header:?} and {code_header:?}")];
    }
    let mut found = Vec::new();
    let mut keys = BTreeSet::new();
    for (number, row) in rows.iter().enumerate() {
        let line = Line { number: number + 2, cells: row };
        found.extend(line.faults());
        if !keys.insert(KEY.map(|column| line.cell(column))) {
            found.push(line.fault("the key stands in an earlier line"));
        }
    }
    found.extend(code_faults(rows, codes));
    found
}

struct Line<'a> {
    number: usize,
    cells: &'a [String],
}

impl<'a> Line<'a> {
    fn cell(&self, column: &str) -> &'a str {
        &self.cells[COLUMNS.iter().position(|name| *name == column).unwrap()]
    }

    fn fault(&self, what: &str) -> String {
        format!("line {}: {what}", self.number)
    }

    fn faults(&self) -> Vec<String> {
        let status = self.cell("OBS_STATUS");
        let value = self.cell("OBS_VALUE");
        let is_number = is_decimal(value) && value.parse::<f64>().is_ok_and(f64::is_finite);
        let expected = [
            ("STRUCTURE", ["dataflow", "datastructure", "dataprovision"].contains(&self.cell("STRUCTURE"))),
            ("STRUCTURE_ID", is_structure_id(self.cell("STRUCTURE_ID"))),
            ("ACTION", ["I", "A", "M", "R", "D"].contains(&self.cell("ACTION"))),
            ("FREQ", self.cell("FREQ") == "D"),
            ("REF_AREA", !self.cell("REF_AREA").is_empty()),
            ("INDICATOR", is_code(self.cell("INDICATOR"))),
            ("BREAKDOWN", ["all", "business", "resident", "rural"].contains(&self.cell("BREAKDOWN"))),
            ("TIME_PERIOD", is_day(self.cell("TIME_PERIOD"))),
            ("OBS_STATUS", ["A", "L", "M", "Q"].contains(&status)),
            ("OBS_VALUE", if status == "A" { is_number } else { value == "NaN" }),
            ("NUMERATOR", is_part(self.cell("NUMERATOR"))),
            ("DENOMINATOR", is_part(self.cell("DENOMINATOR"))),
            ("UNIT_MEASURE", is_code(self.cell("UNIT_MEASURE"))),
            ("DEF_VERSION", !self.cell("DEF_VERSION").is_empty()),
            ("VINTAGE", self.cell("VINTAGE").parse::<u64>().is_ok_and(|vintage| vintage >= 1)),
        ];
        let wrong = expected.iter().filter(|(_, is_right)| !is_right);
        wrong.map(|(column, _)| self.fault(&format!("{column} is `{}`", self.cell(column)))).collect()
    }
}

/// `AGENCY:ID(VERSION)`, the version of two or three numbers.
fn is_structure_id(text: &str) -> bool {
    let parts = || {
        let (agency, rest) = text.split_once(':')?;
        let (id, version) = rest.strip_suffix(')')?.split_once('(')?;
        Some((agency, id, version))
    };
    parts().is_some_and(|(agency, id, version)| {
        let numbers: Vec<&str> = version.split('.').collect();
        agency.split('.').all(is_code)
            && is_code(id)
            && (2..=3).contains(&numbers.len())
            && numbers.iter().all(|number| is_digits(number) && (*number == "0" || !number.starts_with('0')))
    })
}

fn is_code(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-@$".contains(&byte))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_day(text: &str) -> bool {
    text.len() == 10 && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok_and(|day| day.to_string() == text)
}

/// A number as XML Schema writes doubles, without the words for what is not finite.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let digits = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    is_digits(whole) && is_digits(fraction) && is_digits(exponent.strip_prefix('-').unwrap_or(exponent))
}

/// Blank, or a decimal of at most four digits after the point that is written in one way only.
fn is_part(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "1"));
    let is_plain = is_digits(whole) && (whole == "0" || !whole.starts_with('0'));
    text.is_empty()
        || (is_plain && is_digits(fraction) && fraction.len() <= 4 && !fraction.ends_with('0') && text != "-0")
}

/// Rows use the codes of the list and all of them; every parent is a code.
fn code_faults(rows: &[Vec<String>], codes: &[Vec<String>]) -> Vec<String> {
    let place = COLUMNS.iter().position(|name| *name == "REF_AREA").unwrap();
    let used: BTreeSet<&str> = rows.iter().map(|row| row[place].as_str()).collect();
    let listed: BTreeSet<&str> = codes.iter().map(|code| code[0].as_str()).collect();
    let mut found = Vec::new();
    if listed.len() < codes.len() {
        found.push("a code is listed twice".to_string());
    }
    found.extend(used.difference(&listed).map(|code| format!("`{code}` is not in the code list")));
    found.extend(listed.difference(&used).map(|code| format!("`{code}` has no row")));
    for code in codes {
        let is_top = code[1] == "bank" && code[2].is_empty();
        if !is_top && (!listed.contains(code[2].as_str()) || code[2] == code[0]) {
            found.push(format!("the parent `{}` of `{}` is no other code", code[2], code[0]));
        }
    }
    found
}

/// RFC 4180: rows of equally many fields, every row ended in one way, quotes around a whole field and doubled within.
fn read(bytes: &[u8]) -> Result<Vec<Vec<String>>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    if text.starts_with('\u{feff}') {
        return Err("there is a byte-order mark".to_string());
    }
    let end = if text.split('\n').next().is_some_and(|first| first.ends_with('\r')) { "\r\n" } else { "\n" };
    let mut rows: Vec<Vec<String>> = vec![Vec::new()];
    let mut rest = text;
    while !rest.is_empty() {
        let number = rows.len();
        let (field, after) = field(rest).map_err(|fault| format!("line {number}: {fault}"))?;
        rows.last_mut().unwrap().push(field);
        rest = if let Some(next) = after.strip_prefix(',') {
            // A comma at the very end begins a field that never comes.
            if next.is_empty() {
                return Err(format!("line {number}: the file ends within the line"));
            }
            next
        } else if let Some(next) = after.strip_prefix(end) {
            rows.push(Vec::new());
            next
        } else {
            return Err(format!("line {number}: a field is followed by {:?}", after.chars().next()));
        };
    }
    // What begins after the last line's end is no row.
    if rows.pop().is_some_and(|row| !row.is_empty()) {
        return Err("the last line has no end".to_string());
    }
    let columns = rows.first().map_or(0, Vec::len);
    match rows.iter().position(|row| row.len() != columns) {
        Some(row) => Err(format!("line {}: {} fields instead of {columns}", row + 1, rows[row].len())),
        None => Ok(rows),
    }
}

/// The field that a text begins with, and what follows it.
fn field(text: &str) -> Result<(String, &str), String> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find([',', '\n', '\r']).unwrap_or(text.len());
        let (field, after) = text.split_at(end);
        return if field.contains('"') {
            Err("a quote stands within a field".to_string())
        } else {
            Ok((field.to_string(), after))
        };
    };
    let mut field = String::new();
    loop {
        let (part, after) = rest.split_once('"').ok_or("a quote is never closed")?;
        field.push_str(part);
        let Some(more) = after.strip_prefix('"') else { return Ok((field, after)) };
        field.push('"');
        rest = more;
    }
}

#[test]
fn the_export_of_the_sample_bank_is_sound() {
    let (_runs, night) = sample_night(AS_OF);
    let bytes = |name: &str| std::fs::read(night.join("regulator").join(name)).unwrap();
    let found = faults(&bytes("indicators.csv"), &bytes("ref_areas.csv"));
    assert!(found.is_empty(), "{} faults, the first are\n{}", found.len(), found[..found.len().min(20)].join("\n"));
}

const CODES: &str = "REF_AREA,LEVEL,PARENT,NAME\nbank,bank,,\"A bank, \"\"of\"\" towns\"\nB1,branch,bank,One\n";
const GOOD: [&str; 15] = [
    "dataflow",
    "WELLFIELD:INDICATORS(1.0.0)",
    "R",
    "D",
    "bank",
    "profile_share",
    "all",
    "2026-06-30",
    "0.5",
    "12",
    "24",
    "share",
    "A",
    "1",
    "1",
];

/// A file of two good rows; the first with some fields replaced.
fn export(replaced: &[(&str, &str)]) -> String {
    let mut first = GOOD;
    for (column, value) in replaced {
        first[COLUMNS.iter().position(|name| name == column).unwrap()] = value;
    }
    let mut second = GOOD;
    second[4] = "B1";
    format!("{}\n{}\n{}\n", COLUMNS.join(","), first.join(","), second.join(","))
}

#[test]
fn the_checker_accepts_what_is_right() {
    let right: [&[(&str, &str)]; 9] = [
        &[],
        &[("OBS_STATUS", "Q"), ("OBS_VALUE", "NaN"), ("NUMERATOR", "")],
        &[("OBS_STATUS", "L"), ("OBS_VALUE", "NaN"), ("NUMERATOR", ""), ("DENOMINATOR", "")],
        &[("OBS_VALUE", "-0.25")],
        &[("OBS_VALUE", "1.5e-7")],
        &[("NUMERATOR", "-3.1416")],
        &[("NUMERATOR", "0.5")],
        &[("REF_AREA", "\"bank\"")],
        &[("STRUCTURE_ID", "CN.BANK:INDICATORS(2.1)")],
    ];
    for replaced in right {
        assert_eq!(faults(export(replaced).as_bytes(), CODES.as_bytes()), Vec::<String>::new(), "{replaced:?}");
    }
    let ended_otherwise = export(&[]).replace('\n', "\r\n");
    assert_eq!(faults(ended_otherwise.as_bytes(), CODES.as_bytes()), Vec::<String>::new());
}

#[test]
fn the_checker_refuses_bad_fields() {
    let wrong = [
        ("STRUCTURE", "table"),
        ("STRUCTURE_ID", "WELLFIELD:INDICATORS"),
        ("STRUCTURE_ID", "INDICATORS(1.0.0)"),
        ("STRUCTURE_ID", "WELLFIELD:INDICATORS(one)"),
        ("STRUCTURE_ID", "WELLFIELD:INDICATORS(1.00.0)"),
        ("ACTION", "X"),
        ("ACTION", ""),
        ("FREQ", "M"),
        ("REF_AREA", "B2"),
        ("REF_AREA", ""),
        ("INDICATOR", "profile share"),
        ("BREAKDOWN", "others"),
        ("TIME_PERIOD", "2026-6-30"),
        ("TIME_PERIOD", "2026-06-31"),
        ("TIME_PERIOD", "30.06.2026"),
        ("OBS_VALUE", "NaN"),
        ("OBS_VALUE", ""),
        ("OBS_VALUE", "inf"),
        ("OBS_VALUE", "1e999"),
        ("OBS_VALUE", ".5"),
        ("OBS_VALUE", "0x1"),
        ("OBS_STATUS", "Q"),
        ("OBS_STATUS", "B"),
        ("NUMERATOR", "12.00001"),
        ("NUMERATOR", "12.50"),
        ("NUMERATOR", "012"),
        ("NUMERATOR", "-0"),
        ("DENOMINATOR", "NaN"),
        ("DENOMINATOR", "2e3"),
        ("UNIT_MEASURE", "per 1000"),
        ("DEF_VERSION", ""),
        ("VINTAGE", "0"),
        ("VINTAGE", "1.0"),
    ];
    for (column, value) in wrong {
        let found = faults(export(&[(column, value)]).as_bytes(), CODES.as_bytes());
        assert!(!found.is_empty(), "{column} `{value}` passes");
    }
}

#[test]
fn the_checker_refuses_bad_files() {
    let good = export(&[]);
    let twice = format!("{good}{}\n", GOOD.join(","));
    let wrong = [
        ("a key twice", twice, CODES.to_string()),
        ("another column", good.replacen("OBS_VALUE", "VALUE", 1), CODES.to_string()),
        ("columns in another order", good.replacen("FREQ,REF_AREA", "REF_AREA,FREQ", 1), CODES.to_string()),
        ("a missing field", good.replacen(",share", "", 1), CODES.to_string()),
        ("a further field", good.replacen(",share", ",share,share", 1), CODES.to_string()),
        ("no end of the last line", good.trim_end().to_string(), CODES.to_string()),
        ("two ends of lines", good.replacen('\n', "\r\n", 2), CODES.to_string()),
        ("a byte-order mark", format!("\u{feff}{good}"), CODES.to_string()),
        ("a bare quote", good.replacen("share,A", "sh\"are,A", 1), CODES.to_string()),
        ("a quote that is never closed", good.replacen("share,A", "\"share,A", 1), CODES.to_string()),
        ("text behind a quote", good.replacen("share,A", "\"share\"s,A", 1), CODES.to_string()),
        ("a code without rows", good.clone(), format!("{CODES}A1,county,bank,County\n")),
        ("a parent that is no code", good.clone(), CODES.replace("branch,bank", "branch,A9")),
        ("a code twice", good.clone(), format!("{CODES}B1,branch,bank,One\n")),
        ("nothing at all", String::new(), CODES.to_string()),
    ];
    for (what, indicators, codes) in wrong {
        assert!(!faults(indicators.as_bytes(), codes.as_bytes()).is_empty(), "{what} passes");
    }
}
