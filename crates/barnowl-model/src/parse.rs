//! Text to operations: the grammar of expressions, and nothing of what their words mean.
//!
//! ```text
//! sum     = product (('+' | '-') product)*
//! product = factor (('*' | '/') factor)*
//! factor  = '-' factor | number | word ["'"] | function '(' sum [',' sum] ')' | '(' sum ')'
//! ```

use crate::error::{Error, Place};
use crate::op::{Binary, FUNCTIONS, Unary};
use crate::source::Text;
use alloc::format;
use alloc::vec::Vec;

/// How deep parentheses, functions and signs may stand in one another.
const DEPTH: usize = 64;
/// How many words and signs a line may have.
const TOKENS: usize = 512;

/// What words and operations stand for.
pub(crate) trait Meaning {
    /// What an expression has for a value.
    type Value: Copy;
    /// A number.
    fn number(&mut self, x: f32) -> Self::Value;
    /// A word, with `'` where `previous`.
    fn word(&mut self, word: &str, previous: bool, place: Place) -> Result<Self::Value, Error>;
    /// A function or sign of one value.
    fn unary(&mut self, op: Unary, a: Self::Value, place: Place) -> Result<Self::Value, Error>;
    /// A function or sign of two values.
    fn binary(
        &mut self,
        op: Binary,
        a: Self::Value,
        b: Self::Value,
        place: Place,
    ) -> Result<Self::Value, Error>;
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Token<'a> {
    Number(f32),
    /// A word, and whether `'` follows.
    Word(&'a str, bool),
    /// One of `+ - * / ( ) , =`.
    Sign(char),
}

/// The words and signs of a line, and the place of its end.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) tokens: Vec<(Token<'a>, Place)>,
    pub(crate) end: Place,
}

/// The lines of a text, without comments and empty ones.
pub(crate) fn lines(text: &Text) -> Result<Vec<Line<'_>>, Error> {
    let mut lines = Vec::new();
    for (number, line) in text.text.split('\n').enumerate() {
        let column = if number == 0 { text.place.column } else { 1 };
        let line = tokens(line, Place { line: text.place.line + number, column })?;
        if !line.tokens.is_empty() {
            lines.push(line);
        }
    }
    Ok(lines)
}

/// The words and signs of one line that begins at `place`; `#` begins a comment.
fn tokens(line: &str, start: Place) -> Result<Line<'_>, Error> {
    let mut tokens = Vec::new();
    let mut place = start;
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_ascii_alphabetic() || first == '_' {
            let length = span(rest, |c| c.is_ascii_alphanumeric() || c == '_');
            let previous = rest[length..].starts_with('\'');
            tokens.push((Token::Word(&rest[..length], previous), place));
            length + usize::from(previous)
        } else if first.is_ascii_digit() || first == '.' {
            let length = number_length(rest);
            tokens.push((Token::Number(number(&rest[..length], place)?), place));
            length
        } else if "+-*/(),=".contains(first) {
            if rest.starts_with("**") {
                return Err(powerless("**", place));
            }
            tokens.push((Token::Sign(first), place));
            1
        } else if first.is_whitespace() {
            first.len_utf8()
        } else if first == '#' {
            break;
        } else if first == '^' {
            return Err(powerless("^", place));
        } else if first == '\'' {
            return Err(Error::new(place, "a ' without a name")
                .remedy("it stands right after one: `u'` is the value of u of the step before"));
        } else {
            return Err(Error::new(
                place,
                format!("`{}` has no meaning here", first.escape_debug()),
            )
            .remedy("names are of the letters a to z, digits and _"));
        };
        if tokens.len() > TOKENS {
            return Err(Error::new(place, format!("more than {TOKENS} words and signs in a line"))
                .remedy("name a part of it on a line before"));
        }
        place.column += rest[..length].chars().count();
        rest = &rest[length..];
    }
    Ok(Line { tokens, end: place })
}

fn powerless(sign: &str, place: Place) -> Error {
    Error::new(place, format!("`{sign}` is not known")).remedy("write x*x for a power of x")
}

/// How many bytes at the start of `text` are of a kind.
fn span(text: &str, of: impl Fn(char) -> bool) -> usize {
    text.find(|c| !of(c)).unwrap_or(text.len())
}

/// How many bytes the number at the start of `text` has: `12`, `1.5`, `.5`, `1e-3`.
fn number_length(text: &str) -> usize {
    let digits = |from: usize| from + span(&text[from..], |c| c.is_ascii_digit());
    let mut length = digits(0);
    if text[length..].starts_with('.') {
        length = digits(length + 1);
    }
    if text[length..].starts_with(['e', 'E']) {
        let sign = usize::from(text[length + 1..].starts_with(['+', '-']));
        let exponent = digits(length + 1 + sign);
        if exponent > length + 1 + sign {
            length = exponent;
        }
    }
    length
}

fn number(written: &str, place: Place) -> Result<f32, Error> {
    match written.parse::<f32>() {
        Ok(x) if x.is_finite() => Ok(x),
        Ok(_) => Err(Error::new(place, format!("{written} is too large for a number"))),
        Err(_) => Err(Error::new(place, format!("`{written}` is not a number"))),
    }
}

/// The value of the expression that the tokens are.
pub(crate) fn expression<M: Meaning>(
    tokens: &[(Token<'_>, Place)],
    end: Place,
    meaning: &mut M,
) -> Result<M::Value, Error> {
    let mut parser = Parser { tokens, end, at: 0, depth: 0, meaning };
    let value = parser.sum()?;
    match parser.next() {
        None => Ok(value),
        Some((Token::Sign(')'), place)) => Err(Error::new(place, "a `)` that closes nothing")),
        Some((Token::Sign('='), place)) => Err(Error::new(place, "a second `=` in a line")),
        Some((token, place)) => Err(Error::new(
            place,
            format!("{} after a value, where a sign such as * or + is expected", shown(token)),
        )),
    }
}

fn shown(token: Token<'_>) -> alloc::string::String {
    match token {
        Token::Number(x) => format!("{x}"),
        Token::Word(word, previous) => format!("`{word}{}`", if previous { "'" } else { "" }),
        Token::Sign(sign) => format!("`{sign}`"),
    }
}

struct Parser<'a, M> {
    tokens: &'a [(Token<'a>, Place)],
    end: Place,
    at: usize,
    depth: usize,
    meaning: &'a mut M,
}

impl<'a, M: Meaning> Parser<'a, M> {
    fn next(&mut self) -> Option<(Token<'a>, Place)> {
        let token = self.tokens.get(self.at).copied();
        self.at += 1;
        token
    }

    /// The place, if the sign comes next; it is then passed.
    fn accept(&mut self, sign: char) -> Option<Place> {
        let (token, place) = *self.tokens.get(self.at)?;
        (token == Token::Sign(sign)).then(|| {
            self.at += 1;
            place
        })
    }

    fn sum(&mut self) -> Result<M::Value, Error> {
        let mut value = self.product()?;
        loop {
            let (op, place) = if let Some(place) = self.accept('+') {
                (Binary::Add, place)
            } else if let Some(place) = self.accept('-') {
                (Binary::Sub, place)
            } else {
                return Ok(value);
            };
            let other = self.product()?;
            value = self.meaning.binary(op, value, other, place)?;
        }
    }

    fn product(&mut self) -> Result<M::Value, Error> {
        let mut value = self.factor()?;
        loop {
            let (op, place) = if let Some(place) = self.accept('*') {
                (Binary::Mul, place)
            } else if let Some(place) = self.accept('/') {
                (Binary::Div, place)
            } else {
                return Ok(value);
            };
            let other = self.factor()?;
            value = self.meaning.binary(op, value, other, place)?;
        }
    }

    /// One level deeper than before.
    fn factor(&mut self) -> Result<M::Value, Error> {
        self.depth += 1;
        let value = self.factor_within();
        self.depth -= 1;
        value
    }

    fn factor_within(&mut self) -> Result<M::Value, Error> {
        let Some((token, place)) = self.next() else {
            return Err(Error::new(self.end, "the line ends where a value is expected"));
        };
        if self.depth > DEPTH {
            return Err(Error::new(place, format!("more than {DEPTH} levels in one another"))
                .remedy("name a part of it on a line before"));
        }
        match token {
            Token::Number(x) => Ok(self.meaning.number(x)),
            Token::Sign('-') => {
                let value = self.factor()?;
                self.meaning.unary(Unary::Neg, value, place)
            }
            Token::Sign('(') => {
                let value = self.sum()?;
                self.close(place)?;
                Ok(value)
            }
            Token::Sign(_) => {
                Err(Error::new(place, format!("{} where a value is expected", shown(token))))
            }
            Token::Word(word, previous) => match self.accept('(') {
                Some(open) => self.call(word, previous, place, open),
                None if !previous && FUNCTIONS.contains(&word) => {
                    Err(Error::new(place, format!("`{word}` is a function: write {word}(…)")))
                }
                None => self.meaning.word(word, previous, place),
            },
        }
    }

    /// `word(…)`, after the parenthesis.
    fn call(
        &mut self,
        word: &str,
        previous: bool,
        place: Place,
        open: Place,
    ) -> Result<M::Value, Error> {
        let (one, two) = (Unary::named(word), Binary::named(word));
        if previous || (one.is_none() && two.is_none()) {
            let error = Error::new(place, format!("the function `{word}` is not known"));
            return Err(error.meant(word, FUNCTIONS).or_remedy(|| {
                let known = FUNCTIONS.join(", ");
                format!("the functions are {known}; between values a * is written")
            }));
        }
        let first = self.sum()?;
        if let Some(op) = one {
            if let Some(comma) = self.accept(',') {
                return Err(Error::new(comma, format!("`{word}` takes one value")));
            }
            self.close(open)?;
            return self.meaning.unary(op, first, place);
        }
        if self.accept(',').is_none() {
            return Err(Error::new(place, format!("`{word}` takes two values: {word}(a, b)")));
        }
        let second = self.sum()?;
        if let Some(comma) = self.accept(',') {
            return Err(Error::new(comma, format!("`{word}` takes two values: {word}(a, b)")));
        }
        self.close(open)?;
        match two {
            Some(op) => self.meaning.binary(op, first, second, place),
            None => Ok(first),
        }
    }

    fn close(&mut self, open: Place) -> Result<(), Error> {
        match self.accept(')') {
            Some(_) => Ok(()),
            None => match self.tokens.get(self.at) {
                Some(&(token, place)) => {
                    Err(Error::new(place, format!("{} where a `)` is expected", shown(token))))
                }
                None => Err(Error::new(open, "a `(` that is not closed")),
            },
        }
    }
}

/// The name that a line of the equations computes.
pub(crate) fn defined<'a>(line: &Line<'a>) -> Result<(&'a str, Place), Error> {
    match line.tokens[..] {
        [(Token::Word(name, true), place), ..] => Err(Error::new(
            place,
            format!("`{name}'` is the value of the step before, which is over"),
        )
        .remedy(format!("write `{name} = …`"))),
        [(Token::Word(name, false), place), (Token::Sign('='), _), ..] => Ok((name, place)),
        [(_, place), ..] => {
            Err(Error::new(place, "a line of the equations is `name = expression`"))
        }
        [] => Err(Error::new(line.end, "a line of the equations is `name = expression`")),
    }
}
