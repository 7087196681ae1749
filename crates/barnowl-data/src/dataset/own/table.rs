//! Tables of text as people have them: any usual separator, decimal commas, byte order marks, UTF-16, comments.

use super::no_label::NoLabel;
use super::number;
use barnowl_base::error::{Error, Result};
use barnowl_base::file;
use barnowl_base::words::counted;
use std::path::Path;

/// A file with names in its first line, as text.
pub(super) struct Table {
    pub(super) names: Vec<String>,
    /// The number of the line, and what is in it: as many fields as there are names.
    pub(super) rows: Vec<(usize, Vec<String>)>,
    /// Whether numbers have a comma before their decimals, as in half of Europe.
    decimal_comma: bool,
    /// What was left out, and why.
    pub(super) notes: Vec<String>,
}

/// What stands between two fields.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    Sign(u8),
    /// One or more spaces.
    Spaces,
}

/// In the order in which they are tried: a comma may be a decimal one, where there is another separator.
const SIGNS: [u8; 4] = [b'\t', b';', b'|', b','];

impl Table {
    pub(super) fn read(path: &Path) -> Result<Self> {
        Self::parse(&file::read(path)?).map_err(|error| error.in_file(path))
    }

    /// A table from the bytes of its file.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let text = decode(bytes)?.replace("\r\n", "\n").replace('\r', "\n");
        let text = uncommented(&text);
        let header = text.lines().find(|line| !line.trim().is_empty());
        let Some(header) = header else {
            return Err(Error::format("the file is empty").expected("names of columns"));
        };
        let separator = separator(header, &text);
        let mut records = fields(&text, separator)?.into_iter();
        let Some((line, names)) = records.next() else {
            return Err(Error::format("the file is empty").expected("names of columns"));
        };
        let mut table = Self { names, rows: Vec::new(), decimal_comma: false, notes: Vec::new() };
        table.rows = records.collect();
        table.without_empty_end();
        table.find_decimal_sign(separator)?;
        table.check_names(line)?;
        let count = table.names.len();
        if let Some((line, row)) = table.rows.iter().find(|(_, row)| row.len() != count) {
            return Err(Error::format(format!(
                "{} and {} of columns: {}",
                counted(row.len(), "field"),
                counted(count, "name"),
                table.names.join(", ")
            ))
            .at_line(*line)
            .expected("as many fields in every line as in the first"));
        }
        table.without_index();
        Ok(table)
    }

    /// Takes away the columns of these names, and returns those that there were.
    pub(super) fn leave_out(&mut self, names: &[String]) -> Vec<String> {
        let is_kept: Vec<bool> = self.names.iter().map(|name| !names.contains(name)).collect();
        let kept = |all: &mut Vec<String>| {
            let mut places = is_kept.iter();
            all.extract_if(.., |_| !places.next().copied().unwrap_or(true)).collect::<Vec<_>>()
        };
        self.rows.iter_mut().for_each(|(_, row)| drop(kept(row)));
        kept(&mut self.names)
    }

    /// Takes away a last column that is nothing but separators at the ends of lines.
    fn without_empty_end(&mut self) {
        while self.names.len() > 1 && self.names.last().is_some_and(String::is_empty) {
            let last = self.names.len() - 1;
            if !self.rows.iter().all(|(_, row)| row.get(last).is_none_or(String::is_empty)) {
                break;
            }
            self.names.pop();
            self.rows.iter_mut().for_each(|(_, row)| row.truncate(last));
        }
        let count = self.names.len();
        let one_more = |row: &Vec<String>| row.len() == count + 1 && row[count].is_empty();
        if self.rows.iter().all(|(_, row)| one_more(row)) {
            self.rows.iter_mut().for_each(|(_, row)| row.truncate(count));
        }
    }

    /// Takes away a first column without a name that counts the lines: the index that pandas writes.
    fn without_index(&mut self) {
        let unnamed = ["", "Unnamed: 0", "index"];
        if self.names.len() < 2 || !unnamed.contains(&self.names[0].as_str()) {
            return;
        }
        let first = self.rows.first().and_then(|(_, row)| row[0].parse::<i64>().ok());
        let counts = |(place, (_, row)): (usize, &(usize, Vec<String>))| {
            row[0].parse::<i64>().ok() == first.map(|first| first + place as i64)
        };
        if first.is_some() && self.rows.iter().enumerate().all(counts) {
            self.notes.push(
                "a first column that only counts the lines (the index of pandas) is left out"
                    .to_owned(),
            );
            self.names.remove(0);
            self.rows.iter_mut().for_each(|(_, row)| drop(row.remove(0)));
        }
    }

    fn find_decimal_sign(&mut self, separator: Separator) -> Result<()> {
        if separator == Separator::Sign(b',') {
            return Ok(());
        }
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_digit() || "+-.,eE".contains(c));
        let with = |sign: char| {
            let has = move |text: &&String| plain(text) && text.contains(sign);
            self.rows.iter().find(move |(_, row)| row.iter().any(|text| has(&text)))
        };
        match (with(','), with('.')) {
            (Some((line, _)), Some(_)) => Err(Error::format(
                "some numbers of the file have a decimal point, and others a comma",
            )
            .at_line(*line)
            .expected("one sign for decimals, and none between thousands")),
            (Some(_), None) => {
                self.decimal_comma = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn check_names(&self, line: usize) -> Result<()> {
        let is_number = |name: &String| self.parse_number(name).is_some();
        // Numbers from 0, as pandas names columns that have no names, beside a name or an index.
        let counted = self.names.iter().filter(|name| is_number(name)).enumerate();
        let counts = counted.clone().all(|(place, name)| *name == place.to_string());
        let others = self.names.len() - counted.count();
        let is_data = self.names.iter().any(is_number) && !(counts && others > 0);
        if is_data {
            let example: Vec<String> = self
                .names
                .iter()
                .enumerate()
                .map(|(i, name)| if is_number(name) { format!("x{i}") } else { "label".into() })
                .collect();
            return Err(Error::format(format!(
                "the first line holds values, and no names of columns: {}",
                self.names.join(", ")
            ))
            .at_line(line)
            .expected("a name for every column")
            .remedy(format!("write a line such as {} above all others", example.join(","))));
        }
        let mut seen = std::collections::HashSet::new();
        if let Some(twice) = self.names.iter().find(|name| !seen.insert(*name)) {
            return Err(Error::format(format!("two columns are called {twice:?}"))
                .at_line(line)
                .expected("a name of its own for every column"));
        }
        Ok(())
    }

    fn parse_number(&self, text: &str) -> Option<f64> {
        let number: f64 = match self.decimal_comma {
            true => text.replace(',', ".").parse().ok()?,
            false => text.parse().ok()?,
        };
        number.is_finite().then_some(number)
    }

    /// The number in a field.
    pub(super) fn number_f64(
        &self,
        path: &Path,
        line: usize,
        column: usize,
        text: &str,
    ) -> Result<f64> {
        self.parse_number(text).ok_or_else(|| {
            let error = Error::format(format!("{} is {text:?}", self.names[column]))
                .in_file(path)
                .at_line(line)
                .expected("a number");
            match text.to_ascii_lowercase().as_str() {
                "" | "nan" | "na" | "null" | "none" => error.remedy(
                    "a value is missing: fill it in, such as by pandas' interpolate(), or leave the line out",
                ),
                _ => error,
            }
        })
    }

    /// The number in a field, in single precision.
    pub(super) fn number(
        &self,
        path: &Path,
        line: usize,
        column: usize,
        text: &str,
    ) -> Result<f32> {
        let number = self.number_f64(path, line, column, text)?;
        if (number as f32).is_finite() {
            return Ok(number as f32);
        }
        Err(Error::format(format!("{} is {text}", self.names[column]))
            .in_file(path)
            .at_line(line)
            .expected("a number below 3e38"))
    }

    /// The number in a field that is to be found; NaN where it is not known.
    pub(super) fn target(
        &self,
        path: &Path,
        line: usize,
        column: usize,
        text: &str,
        no_label: Option<&NoLabel>,
    ) -> Result<f32> {
        if number::is_unknown(no_label, text) {
            return Ok(f32::NAN);
        }
        let expected = "a number, or nothing or nan where it is not known";
        let wrong = |expected: &str| {
            Error::format(format!("{} is {text:?}", self.names[column]))
                .in_file(path)
                .at_line(line)
                .expected(expected)
        };
        let number = self.parse_number(text).ok_or_else(|| {
            wrong(expected).remedy(
                "correct it, or say by dataset.no_label what stands where a number is not known",
            )
        })?;
        number::number(no_label, number).ok_or_else(|| wrong("a number below 3e38"))
    }

    /// The place of a column.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|found| found == name)
    }
}

/// The text of a file in UTF-8 or UTF-16, without its byte order mark.
pub(super) fn decode(bytes: &[u8]) -> Result<String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.as_chunks().0.iter().map(|pair| unit(*pair)).collect();
        String::from_utf16(&units).map_err(|_| {
            Error::format("the file begins as text in UTF-16, and is none")
                .remedy("save it as CSV UTF-8")
        })
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => return wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return wide(rest, u16::from_be_bytes),
        // A mark is not obligatory; the second byte of a letter says it too.
        [a, 0, _, 0, ..] if *a != 0 => return wide(bytes, u16::from_le_bytes),
        [0, a, 0, _, ..] if *a != 0 => return wide(bytes, u16::from_be_bytes),
        [b'P', b'K', 3, 4, ..] => {
            return Err(Error::format("the file is a spreadsheet or an archive, not text")
                .at_byte(0)
                .remedy("open it and save it as CSV UTF-8"));
        }
        _ => {}
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    String::from_utf8(text.to_vec()).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        Error::format(format!("found the byte 0x{:02x}", text[offset]))
            .at_byte((bytes.len() - text.len() + offset) as u64)
            .expected("text in UTF-8 or UTF-16")
            .remedy("the file may be in Latin-1 or Windows-1252: save it as CSV UTF-8")
    })
}

/// The text with empty lines in the place of comments. Of a file without names in its first line, the last comment above the
/// numbers holds them: numpy.savetxt writes `# x,y`.
fn uncommented(text: &str) -> String {
    let is_comment = |line: &str| line.trim_start().starts_with('#');
    let mut lines = text.lines();
    let first = lines.position(|line| !line.trim().is_empty() && !is_comment(line));
    let numeric = |line: &str| {
        let mut fields = line.split([',', ';', '\t', '|', ' ']).filter(|field| !field.is_empty());
        fields.clone().next().is_some() && fields.all(|field| field.trim().parse::<f64>().is_ok())
    };
    let data = first.and_then(|first| text.lines().nth(first));
    let names = match (first, data) {
        (Some(first), Some(data)) if numeric(data) => {
            text.lines().take(first).enumerate().filter(|(_, line)| is_comment(line)).last()
        }
        _ => None,
    };
    let line = |(place, line): (usize, &str)| match names {
        Some((header, names)) if header == place => {
            names.trim_start().trim_start_matches('#').trim().to_owned()
        }
        _ if is_comment(line) => String::new(),
        _ => line.to_owned(),
    };
    text.lines().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

/// What separates the fields: the sign of which there are as many in other lines as in the first.
fn separator(header: &str, text: &str) -> Separator {
    let count = |line: &str, sign: u8| line.bytes().filter(|byte| *byte == sign).count();
    let lines = || text.lines().filter(|line| !line.trim().is_empty()).skip(1);
    let agrees = |sign: &&u8| {
        let names = count(header, **sign);
        names > 0 && lines().all(|line| (names..=names + 1).contains(&count(line, **sign)))
    };
    if let Some(sign) = SIGNS.iter().find(agrees) {
        return Separator::Sign(*sign);
    }
    if let Some(sign) = SIGNS.iter().find(|sign| count(header, **sign) > 0) {
        return Separator::Sign(*sign);
    }
    let words = |line: &str| line.split_whitespace().count();
    let names = words(header);
    match names > 1 && lines().all(|line| words(line) == names) {
        true => Separator::Spaces,
        false => Separator::Sign(b','),
    }
}

/// The fields of every line that is not empty, with its number.
fn fields(text: &str, separator: Separator) -> Result<Vec<(usize, Vec<String>)>> {
    let Separator::Sign(sign) = separator else {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let split = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        return Ok(lines.map(|(place, line)| (place + 1, split(line))).collect());
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(sign)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut found = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(1, |position| position.line() as usize);
            Error::format(error.to_string()).at_line(line).expected("a table of text")
        })?;
        let line = record.position().map_or(0, |position| position.line() as usize);
        found.push((line, record.iter().map(str::to_owned).collect()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Table {
        Table::parse(text.as_bytes()).unwrap()
    }

    fn values(table: &Table) -> Vec<Vec<f64>> {
        let row = |(line, row): &(usize, Vec<String>)| {
            let number = |(c, text): (usize, &String)| {
                table.number_f64(Path::new("t"), *line, c, text).unwrap()
            };
            row.iter().enumerate().map(number).collect()
        };
        table.rows.iter().map(row).collect()
    }

    #[test]
    fn every_dialect_is_the_same_table() {
        let utf16 = |text: &str, unit: fn(u16) -> [u8; 2], mark: &[u8]| {
            let mut bytes = mark.to_vec();
            bytes.extend(text.encode_utf16().flat_map(unit));
            bytes
        };
        let plain = "x,y\n-1.5,0.25\n2,1e3\n";
        for bytes in [
            plain.as_bytes().to_vec(),
            plain.replace('\n', "\r\n").into_bytes(),
            plain.replace('\n', "\r").into_bytes(),
            plain.replace(',', ";").into_bytes(),
            plain.replace(',', "\t").into_bytes(),
            plain.replace(',', "|").into_bytes(),
            plain.replace(',', "  ").into_bytes(),
            plain.replace(',', " ; ").into_bytes(),
            plain.replace(',', ";").replace('.', ",").into_bytes(),
            plain.replace('\n', ",\n").into_bytes(),
            "x,y\n-1.5,0.25,\n2,1e3,\n".into(),
            [b"\xef\xbb\xbf", plain.as_bytes()].concat(),
            utf16(plain, u16::to_le_bytes, b"\xff\xfe"),
            utf16(plain, u16::to_be_bytes, b"\xfe\xff"),
            utf16(plain, u16::to_le_bytes, b""),
            format!("# {plain}").into_bytes(),
            format!("# made by numpy\n# {plain}").into_bytes(),
            format!("# a comment, with commas\n\n{plain}\n# the end\n").into_bytes(),
            "\"x\",\"y\"\n\"-1.5\",\"0.25\"\n\n2,1e3".into(),
            ",x,y\n0,-1.5,0.25\n1,2,1e3\n".into(),
            "Unnamed: 0;x;y\n7;-1,5;0,25\n8;2;1e3\n".into(),
        ] {
            let table = Table::parse(&bytes)
                .unwrap_or_else(|error| panic!("{}: {error}", String::from_utf8_lossy(&bytes)));
            assert_eq!(table.names, ["x", "y"], "{}", String::from_utf8_lossy(&bytes));
            assert_eq!(values(&table), [[-1.5, 0.25], [2.0, 1000.0]]);
        }
        // Columns that pandas has numbered, and one without numbers.
        assert_eq!(read("0,1,label\n5,6,a\n").names, ["0", "1", "label"]);
        assert_eq!(read("x\n5\n").names, ["x"]);
        assert!(read("x,y\n").rows.is_empty());
    }

    #[test]
    fn what_cannot_be_a_table_is_named() {
        let message = |bytes: &[u8]| Table::parse(bytes).err().unwrap().to_string();
        for (bytes, parts) in [
            (&b""[..], &["empty"][..]),
            (b"-1.5,0.0,walk\n1,2,run\n", &["line 1", "no names of columns", "x0,x1,label"]),
            (b"1,2\n3,4\n", &["line 1", "-"][..1]),
            (b"x,y\n1\n", &["line 2", "1 field and 2 names of columns: x, y"]),
            (b"x,x\n1,2\n", &["two columns are called \"x\""]),
            (b"x;y\n1.5;2,5\n", &["decimal point, and others a comma"]),
            (b"x\xe9,y\n1,2\n", &["0xe9", "Latin-1", "CSV UTF-8"]),
            (b"PK\x03\x04rest", &["spreadsheet", "CSV UTF-8"]),
        ] {
            let found = message(bytes);
            assert!(parts.iter().all(|part| found.contains(part)), "{found} lacks {parts:?}");
        }
        let table = read("x,y\n1,nan\n");
        let error = table.number(Path::new("t.csv"), 2, 1, "nan").unwrap_err().to_string();
        assert!(error.starts_with("t.csv, line 2: y is \"nan\"") && error.contains("missing"));
    }
}
