//! Where data of one's own are, and how they are read.

use super::binning::Binning;
use super::groups::Groups;
use super::no_label::NoLabel;
use super::sound::SoundEncoding;
use super::target_kind::{TargetKind, twice};
use crate::dataset::Normalize;
use barnowl_base::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What the files are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Arrays of NumPy.
    Arrays,
    /// Tables of numbers.
    Csv,
    /// Files `.ts` of the UCR/UEA archive of time series.
    Ts,
    /// Lists of events.
    Events(Binning),
    /// Sounds.
    Sound(SoundEncoding),
}

impl Form {
    /// Whether real values are as the user's instrument gave them, on whatever scale: those of sounds are made by an encoder.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Arrays | Self::Csv | Self::Ts)
    }

    /// Steps a second, where the form says it.
    #[must_use]
    pub fn sampling_rate(&self) -> Option<f64> {
        match self {
            Self::Sound(encoding) => Some(encoding.sampling_rate()),
            Self::Events(binning) => binning.sampling_rate(),
            Self::Arrays | Self::Csv | Self::Ts => None,
        }
    }
}

/// What is done about missing values.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// The data are not read.
    #[default]
    Refuse,
    /// They are put on straight lines between their neighbours in time; before the first and after the last value of a channel,
    /// this one is held. A sequence ends where all of its channels have only missing values to the end.
    Interpolate,
}

/// Where data of one's own are, and how they are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnConfig {
    /// The folder of the data: below the data folder, or anywhere.
    pub folder: PathBuf,
    /// What the files are.
    pub form: Form,
    /// What is to be found: classes, or real numbers, and in which columns these stand: `"values"`, or
    /// `{ columns = ["glucose", "heart_rate"] }`. Default: classes.
    #[serde(default, skip_serializing_if = "TargetKind::is_default")]
    pub targets: TargetKind,
    /// Steps of a sequence: longer ones are cut. Default: all steps that there are.
    /// Range: 1 to 100000000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// Steps a second, where time has a scale.
    /// Range: more than 0 steps a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling_rate: Option<f64>,
    /// How the channels are brought to one scale, by the training part. Default: real values are standardized, events left
    /// alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalize: Option<Normalize>,
    /// A word or number that says that there is no label, or that a number is not known, beside nan and nothing at all; of
    /// classes, −1 says so too. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_label: Option<NoLabel>,
    /// Where the group of a sequence, such as its subject, is written: the name of a column or an array, or
    /// `{ before = "_" }`, what stands before that in the name of its file. Default: an array `groups` or `subjects`, if there
    /// is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Groups>,
    /// Columns of tables that are no channels, such as `["time"]`: they are left out. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// What is done about missing values in files `.ts`. Default: the data are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
}

impl OwnConfig {
    /// Files of a form in a folder, all else by default.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, form: Form) -> Self {
        Self {
            folder: folder.into(),
            form,
            targets: TargetKind::Classes,
            steps: None,
            sampling_rate: None,
            normalize: None,
            no_label: None,
            groups: None,
            ignore: Vec::new(),
            missing: None,
        }
    }

    /// Checks ranges; `key` names the data set in messages.
    ///
    /// # Errors
    ///
    /// Names the key, its value and what is allowed.
    pub fn validate(&self, key: &str) -> Result<()> {
        if let Some(steps) = self.steps.filter(|steps| !(1..=100_000_000).contains(steps)) {
            return Err(Error::setting(format!("{key}.steps"), steps).expected("1 to 100000000"));
        }
        if let Some(rate) = self.sampling_rate.filter(|rate| !(*rate > 0.0 && rate.is_finite())) {
            return Err(
                Error::setting(format!("{key}.sampling_rate"), rate).expected("steps a second")
            );
        }
        if let (Some(rate), Some(of_form)) = (self.sampling_rate, self.form.sampling_rate()) {
            return Err(Error::setting(format!("{key}.sampling_rate"), rate)
                .expected(format!("none: the form says it, {of_form} steps a second")));
        }
        self.validate_targets(key)?;
        let by_name = matches!(self.groups, None | Some(Groups::Name(_)));
        match (&self.form, &self.no_label, &self.groups) {
            (Form::Ts, _, Some(groups)) => {
                return Err(Error::setting(format!("{key}.groups"), groups)
                    .expected("none: files .ts say nothing of groups"));
            }
            (Form::Events(_) | Form::Sound(_), _, Some(groups)) if !by_name => {
                return Err(Error::setting(format!("{key}.groups"), groups).expected(
                    "{ before = \"_\" }, what stands before a sign in the name of the file",
                ));
            }
            (Form::Ts | Form::Events(_) | Form::Sound(_), Some(word), _)
                if !self.targets.is_real() =>
            {
                return Err(Error::setting(format!("{key}.no_label"), word)
                    .expected("none: every sequence of this form has a class"));
            }
            _ => {}
        }
        if !self.ignore.is_empty() && self.form != Form::Csv {
            return Err(Error::setting(format!("{key}.ignore"), &self.ignore).expected(
                "none, unless form = \"csv\": other forms have no columns to leave out",
            ));
        }
        if let Some(Groups::Column(name)) = &self.groups
            && self.ignore.contains(name)
        {
            return Err(Error::setting(format!("{key}.ignore"), &self.ignore).expected(format!(
                "no {name}: {key}.groups says what that column is, and it is no channel"
            )));
        }
        if let Some(missing) = self.missing.filter(|_| self.form != Form::Ts) {
            return Err(Error::setting(format!("{key}.missing"), missing)
                .expected("none, unless form = \"ts\""));
        }
        Ok(())
    }

    /// Refuses what the form of the data has no place for, and names that name nothing.
    pub(super) fn validate_targets(&self, key: &str) -> Result<()> {
        let targets = &self.targets;
        let wrong = || Error::setting(format!("{key}.targets"), targets);
        match self.form {
            Form::Arrays | Form::Csv | Form::Ts => {}
            Form::Events(_) | Form::Sound(_) if !targets.is_real() => {}
            Form::Events(_) => {
                return Err(wrong()
                    .expected("\"classes\": a list of events has no place for numbers to be found")
                    .remedy(
                        "use form = \"arrays\": x of −1, 0 and 1 is kept as events, and y holds the numbers",
                    ));
            }
            Form::Sound(_) => {
                return Err(wrong()
                    .expected("\"classes\": a sound has no place for numbers to be found")
                    .remedy(
                        "use form = \"arrays\": x holds the sounds as spikes or bands, and y the numbers",
                    ));
            }
        }
        if let (Form::Arrays, true, Some(NoLabel::Word(word))) =
            (self.form, targets.is_real(), &self.no_label)
        {
            return Err(Error::setting(format!("{key}.no_label"), word).expected(
                "a number, or nothing: the targets of arrays are numbers, and no words",
            ));
        }
        let TargetKind::Columns(names) = targets else { return Ok(()) };
        if names.is_empty() || names.iter().any(|name| name.trim().is_empty()) {
            return Err(wrong().expected("{ columns = [\"…\"] } with the name of each number"));
        }
        if let Some(twice) = twice(names) {
            return Err(wrong().expected(format!("each name once, and not {twice} twice")));
        }
        if self.form == Form::Ts && names.len() > 1 {
            return Err(wrong().expected("one name: a series of a file .ts has one number"));
        }
        if self.form != Form::Csv {
            return Ok(());
        }
        if let Some(name) = names.iter().find(|name| self.ignore.contains(name)) {
            return Err(wrong().expected(format!(
                "no {name}, or no {key}.ignore with it: a column is to be found, or left out"
            )));
        }
        match &self.groups {
            Some(Groups::Column(group)) if names.contains(group) => {
                Err(wrong().expected(format!("no {group}: {key}.groups says what that column is")))
            }
            _ => Ok(()),
        }
    }
}
