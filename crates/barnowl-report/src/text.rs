//! How text is set in a document, and how wide it is.

use std::fmt::{self, Write as _};

use super::INK;

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text is set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub size: f64,
    pub anchor: Anchor,
    pub bold: bool,
    pub fill: &'static str,
    /// Degrees, clockwise, about the point.
    pub rotation: f64,
}

impl Style {
    pub fn new(size: f64) -> Self {
        Self { size, anchor: Anchor::Start, bold: false, fill: INK, rotation: 0.0 }
    }

    pub fn anchor(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    pub fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub fn fill(self, fill: &'static str) -> Self {
        Self { fill, ..self }
    }

    pub fn rotated(self, rotation: f64) -> Self {
        Self { rotation, ..self }
    }

    /// The width of a text, estimated high: what follows at this distance does not touch it in any usual sans-serif.
    pub fn width(&self, text: &str) -> f64 {
        let em: f64 = text.chars().map(character_width).sum();
        em * self.size * if self.bold { 1.14 } else { 1.0 }
    }

    /// The text, or as much of its beginning as fits into `width`, with an ellipsis.
    pub fn shorten(&self, text: &str, width: f64) -> String {
        if self.width(text) <= width {
            return text.to_owned();
        }
        let mut short: String = text.to_owned();
        while short.pop().is_some() {
            let candidate = format!("{}…", short.trim_end());
            if self.width(&candidate) <= width {
                return candidate;
            }
        }
        "…".to_owned()
    }
}

/// In units of the font size.
fn character_width(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.32,
        ' ' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' => 0.42,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '—' | '→' => 1.0,
        'A'..='Z' => 0.74,
        // East Asian scripts, emoji.
        '\u{1100}'.. if !('\u{1e00}'..='\u{2bff}').contains(&character) => 1.1,
        _ => 0.62,
    }
}

/// Escaped text in which what follows `τ_` is a subscript.
pub(super) fn subscripts(text: &str) -> String {
    let mut parts = text.split("τ_");
    let mut marked = Escaped(parts.next().unwrap_or_default()).to_string();
    for part in parts {
        let end = part.find(|c: char| !c.is_alphanumeric()).unwrap_or(part.len());
        let (index, rest) = (Escaped(&part[..end]), Escaped(&part[end..]));
        // Down by 0.3 of three quarters of the size, and up again.
        let _ = write!(
            marked,
            "τ<tspan dy=\"0.3em\" font-size=\"75%\">{index}</tspan><tspan dy=\"-0.225em\">{rest}</tspan>"
        );
    }
    marked
}

/// Text without what XML reads as markup or does not allow at all.
pub(super) struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\t' | '\n' | '\r' => f.write_char(' '),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => f.write_char('\u{fffd}'),
            _ => f.write_char(character),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_of_time_constants_are_subscripts() {
        assert_eq!(
            subscripts("τ_m <1"),
            "τ<tspan dy=\"0.3em\" font-size=\"75%\">m</tspan><tspan dy=\"-0.225em\"> &lt;1</tspan>"
        );
        assert_eq!(subscripts("tau_m"), "tau_m");
    }

    #[test]
    fn long_text_is_cut() {
        let style = Style::new(10.0);
        let short = style.shorten("fibrillation auriculaire", 60.0);
        assert!(short.ends_with('…') && style.width(&short) <= 60.0);
        assert_eq!(style.shorten("P", 60.0), "P");
        assert_eq!(style.shorten("PQ", 0.0), "…");
    }
}
