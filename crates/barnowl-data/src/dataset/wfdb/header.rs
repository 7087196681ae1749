//! Headers: a line about the record, then one for every signal.

use barnowl_base::error::{Error, Result};

/// What a header says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    pub(super) rate: f64,
    /// Samples of each signal, if said.
    pub(super) length: Option<usize>,
    /// At least one.
    pub(super) signals: Vec<Signal>,
}

/// How samples are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// 212: two of 12 bits in three bytes.
    Packed12,
    /// 16: two bytes, the lower one first.
    Plain16,
}

impl Format {
    /// The value of a sample that is missing.
    pub(super) fn missing(self) -> i16 {
        match self {
            Self::Packed12 => -2048,
            Self::Plain16 => i16::MIN,
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Packed12 => "212",
            Self::Plain16 => "16",
        })
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Signal {
    pub(super) file: String,
    pub(super) format: Format,
    /// Steps of the converter in a unit.
    pub(super) gain: f64,
    /// The value of the converter at zero.
    pub(super) baseline: f64,
    pub(super) name: String,
}

impl Header {
    pub(super) fn parse(text: &str) -> Result<Self> {
        // Some files end their lines with a carriage return alone.
        let text = if text.contains('\n') { text.to_owned() } else { text.replace('\r', "\n") };
        let lines = (1..).zip(text.lines().map(str::trim));
        let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let bad = |line: usize, problem: String, expected: &str| {
            Error::format(problem).at_line(line).expected(expected)
        };
        let (number, line) = lines
            .next()
            .ok_or_else(|| bad(1, "the header is empty".into(), "record, signals, rate, length"))?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let count: usize = words
            .get(1)
            .and_then(|word| word.parse().ok())
            .filter(|count| (1..=1000).contains(count))
            .ok_or_else(|| {
                bad(number, format!("{line:?}"), "a record name and 1 to 1000 signals")
            })?;
        // The rate may be followed by that of a counter.
        let rate = words.get(2).map_or(Some(250.0), |word| word.split('/').next()?.parse().ok());
        let rate = rate
            .filter(|rate: &f64| *rate > 0.0 && rate.is_finite())
            .ok_or_else(|| bad(number, format!("{line:?}"), "a rate, in samples a second"))?;
        let length = words.get(3).and_then(|word| word.parse().ok()).filter(|length| *length > 0);
        let mut signals: Vec<Signal> = Vec::with_capacity(count);
        for _ in 0..count {
            let (number, line) = lines.next().ok_or_else(|| {
                let problem = format!("{} of {count} signals are described", signals.len());
                bad(number, problem, "a line for every signal")
            })?;
            let signal = Signal::parse(line).map_err(|error| error.at_line(number))?;
            if let Some(first) = signals.first()
                && (first.file != signal.file || first.format != signal.format)
            {
                return Err(bad(
                    number,
                    format!("{} in format {}", signal.file, signal.format),
                    &format!("all signals in {} and format {}", first.file, first.format),
                ));
            }
            signals.push(signal);
        }
        Ok(Self { rate, length, signals })
    }
}

impl Signal {
    fn parse(line: &str) -> Result<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let bad = |expected: &str| Error::format(format!("{line:?}")).expected(expected);
        let (Some(file), Some(format)) = (words.first(), words.get(1)) else {
            return Err(bad("a file and its format"));
        };
        if file.contains(['/', '\\']) {
            return Err(bad("a file beside the header"));
        }
        let format = match *format {
            "212" => Format::Packed12,
            "16" => Format::Plain16,
            _ => {
                return Err(bad("format 212 or 16, one sample a frame")
                    .remedy("convert it with WFDB's xform: xform -i RECORD -o 16"));
            }
        };
        // gain(baseline)/units
        let scale = words.get(2).copied().unwrap_or("200");
        let scale = scale.split('/').next().unwrap_or(scale);
        let (gain, baseline) = match scale.split_once('(') {
            Some((gain, baseline)) => (gain, Some(baseline.trim_end_matches(')'))),
            None => (scale, None),
        };
        // Converters have 32 bits at most; a gain far below one would make infinities of its samples.
        let number = |text: &str| text.parse().ok().filter(|x: &f64| x.abs() < 4.3e9);
        let gain = number(gain)
            .filter(|gain| *gain == 0.0 || gain.abs() > 1e-9)
            .ok_or_else(|| bad("a gain, such as 200(0)/mV"))?;
        // Without a baseline, zero is in the middle of the converter's range.
        let zero = baseline.or(words.get(4).copied()).unwrap_or("0");
        Ok(Self {
            file: (*file).to_owned(),
            format,
            gain: if gain == 0.0 { 200.0 } else { gain },
            baseline: number(zero).ok_or_else(|| bad("a baseline, such as 200(0)/mV"))?,
            name: words.get(8..).unwrap_or(&[]).join(" "),
        })
    }
}
