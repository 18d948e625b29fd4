//! What is planted: a name in Chinese, one in Latin letters and a number, each like no word of the program; and banks
//! in which they stand where something is wrong.

use std::path::Path;

use crate::support::read;

/// Of the name only the first character may be seen, in a masked name.
pub const NAME: &str = "龘靐齉爩";
pub const MASKED: &str = "龘＊＊＊";
pub const LATIN_NAME: &str = "Quorzavik Bexlumion";
pub const NUMBER: &str = "739184650273918465";

/// Rows of `plant` that the night sets aside, at least.
pub const SET_ASIDE: usize = 11;

/// Bad rows; N is a name, L the name in Latin letters, I the number. One each for what can be wrong with a row.
const BAD_ROWS: [&str; 14] = [
    "H-1,G-FORD,farm_household,N,I,true,4,none,112.120000,28.060000,2020-01-01,",
    "H-10,G-FORD,farm_household,N,I,true,vier,none,112.120000,28.060000,2020-01-01,",
    "H-11,G-NOWHERE,farm_household,L,I,true,4,none,112.120000,28.060000,2020-01-01,",
    "H-12,G-FORD,castle,N,I,true,4,none,112.120000,28.060000,2020-01-01,",
    "H-13,G-FORD,farm_household,N,I,true,0,none,112.120000,28.060000,2020-01-01,",
    "H-14,G-FORD,farm_household,L,I,true,4,none,112.120000,28.060000,2020-01-01,2019-01-01",
    "H-15,G-FORD,farm_household,,I,true,4,none,112.120000,28.060000,2020-01-01,",
    "H-16,G-FORD,farm_household,N,I,true,4,none,112.120000,,2020-01-01,",
    "H-17,G-FORD,farm_household,N,I,true,4,none,912.120000,28.060000,2020-01-01,",
    "H-18,G-FORD,farm_household,L,I,true,4,none,112.120000,28.060000,2020-31-01,",
    // Cells that have slipped into a neighbour's column.
    "H-19,G-FORD,N,I,I,true,4,none,112.120000,28.060000,2020-01-01,",
    "H-20,I,farm_household,N,I,true,4,none,112.120000,28.060000,2020-01-01,",
    "H-21,G-FORD,farm_household,N,I,L,4,none,112.120000,28.060000,2020-01-01,",
    "H-22,G-FORD,farm_household,N,I,true,4,N,112.120000,28.060000,2020-01-01,",
];

/// Puts the names into the households of the mini bank, and bad rows below them.
pub fn plant(bank: &Path) {
    let path = bank.join("households.csv");
    let sound = read(&path)
        .replace("户主甲,", &format!("{NAME},{NUMBER}"))
        .replace("户主乙,", &format!("{LATIN_NAME},{NUMBER}"));
    let bad: String = BAD_ROWS.iter().map(|row| format!("{}\n", filled(row))).collect();
    std::fs::write(path, sound + &bad).unwrap();
}

fn filled(row: &str) -> String {
    let cell = |cell: &str| match cell {
        "N" => NAME.to_string(),
        "L" => LATIN_NAME.to_string(),
        "I" => NUMBER.to_string(),
        other => other.to_string(),
    };
    row.split(',').map(cell).collect::<Vec<_>>().join(",")
}

/// A bank that is refused, or not, for something near a name.
pub struct Refused {
    pub what: &'static str,
    pub harm: fn(&Path),
    pub exit: i32,
}

const fn refused(what: &'static str, harm: fn(&Path)) -> Refused {
    Refused { what, harm, exit: 3 }
}

pub const REFUSED: [Refused; 15] = [
    refused("a row with too many fields", |bank| {
        households(bank, |text| text.replacen(NAME, &format!("{NAME},{NAME}"), 1))
    }),
    refused("a row with too few fields", |bank| households(bank, |text| format!("{text}H-9,{NAME},{NUMBER}\n"))),
    refused("a quote that is never closed", |bank| {
        households(bank, |text| text.replacen(NAME, &format!("\"{NAME}"), 1))
    }),
    refused("a name as a heading", |bank| households(bank, |text| text.replacen("household_id", NAME, 1))),
    refused("no headings", |bank| households(bank, without_headings)),
    refused("no headings, and a name twice in a row", |bank| {
        households(bank, |text| without_headings(text).replacen(NUMBER, NAME, 1));
    }),
    refused("an encoding that nobody announced", |bank| households_bytes(bank, gb18030)),
    refused("a broken byte in an announced encoding", |bank| {
        declare(bank, "files = \"households.csv\"\nencoding = \"gb18030\"");
        households_bytes(bank, |text| {
            let (mut bytes, name) = (gb18030(text), gb18030(NAME));
            let at = bytes.windows(name.len()).position(|window| window == name).unwrap();
            bytes[at + 3] = 0xFF;
            bytes
        });
    }),
    Refused {
        what: "an announced encoding",
        harm: |bank| {
            declare(bank, "files = \"households.csv\"\nencoding = \"gb18030\"");
            households_bytes(bank, gb18030);
        },
        exit: 0,
    },
    refused("an adapter that makes a count of a name", |bank| {
        adapter(bank, "CAST(head_name AS BIGINT) AS member_count")
    }),
    refused("an adapter that makes a day of a name", |bank| adapter(bank, "CAST(head_name AS DATE) AS member_count")),
    refused("an adapter that makes a moment of a name", |bank| {
        adapter(bank, "STRPTIME(head_name, '%Y-%m-%d') AS member_count");
    }),
    Refused {
        what: "an adapter that gives a name for a count",
        harm: |bank| adapter(bank, "head_name AS member_count"),
        exit: 0,
    },
    refused("an adapter over a file without headings", |bank| {
        adapter(bank, "member_count");
        let path = bank.join("exports.csv");
        std::fs::write(&path, without_headings(&read(&path))).unwrap();
    }),
    refused("an adapter that asks for a column that is not there", |bank| adapter(bank, "nobody AS member_count")),
];

fn households(bank: &Path, change: impl Fn(&str) -> String) {
    households_bytes(bank, |text| change(text).into_bytes());
}

fn households_bytes(bank: &Path, change: impl Fn(&str) -> Vec<u8>) {
    let path = bank.join("households.csv");
    std::fs::write(&path, change(&read(&path))).unwrap();
}

fn without_headings(text: &str) -> String {
    text.split_once('\n').unwrap().1.to_string()
}

fn gb18030(text: &str) -> Vec<u8> {
    encoding_rs::GB18030.encode(text).0.into_owned()
}

fn declare(bank: &Path, input: &str) {
    let path = bank.join("bank.toml");
    std::fs::write(&path, format!("{}\n[inputs.households]\n{input}\n", read(&path))).unwrap();
}

/// The households by way of a query; `count` is how it comes by the number of members.
fn adapter(bank: &Path, count: &str) {
    std::fs::rename(bank.join("households.csv"), bank.join("exports.csv")).unwrap();
    let rest = "care_category, notice_consent, longitude, latitude, valid_from, valid_to";
    let query = format!("SELECT household_id, grid_id, kind, head_name, id_number, {count}, {rest} FROM export");
    std::fs::write(bank.join("households.sql"), query).unwrap();
    declare(bank, "files = { export = \"exports.csv\" }\nadapter = \"households.sql\"");
}
