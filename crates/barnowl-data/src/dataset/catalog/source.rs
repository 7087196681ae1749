//! What is to be said of a data set.

use super::checksum::Checksum;
use serde::Serialize;

/// A data set, and how to come by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The name, which is that of the folder below the data folder.
    pub name: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// The tasks that use it.
    pub tasks: &'static [&'static str],
    /// The licence of the data.
    pub licence: &'static str,
    /// The page that describes it.
    pub page: &'static str,
    /// What the folder has to hold, for a reader.
    pub expects: &'static str,
    /// What the folder has to hold.
    pub files: &'static [Expected],
    /// What can be downloaded; nothing, where the data are not openly served.
    pub downloads: &'static [Download],
    /// How to come by it otherwise, where that takes more words than the address of the page or of the downloads; else empty.
    pub by_hand: &'static str,
}

/// Files that a data set consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Expected {
    /// One file, plain or with `.gz` behind its name.
    File {
        /// Its path in the folder.
        path: &'static str,
        /// The checksum of its contents, not compressed, where one is published.
        checksum: Option<Checksum<'static>>,
    },
    /// So many files with an extension in a folder and those below it, whatever their names.
    Files {
        /// The path of the folder in the folder of the data set; empty for that itself.
        folder: &'static str,
        /// In lower case, without the dot; upper case counts too.
        extension: &'static str,
        /// How many, of every version of the data, ascending: at least as many as of the last, or as of another one and at most
        /// [`A_FEW`] more, so that the last one cut short is not taken for another.
        counts: &'static [usize],
    },
}

/// How many more files than are counted a version may have, such as recordings of noise beside those of words.
pub const A_FEW: usize = 10;

/// A file to download.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Download {
    /// Where it is served.
    pub url: &'static str,
    /// Its checksum, where one is published; what it holds may have one beside.
    pub checksum: Option<Checksum<'static>>,
    /// What becomes of it.
    pub archive: Archive,
}

impl Download {
    /// The last part of the address.
    #[must_use]
    pub fn file_name(&self) -> &'static str {
        self.url.rsplit('/').next().unwrap_or(self.url)
    }

    /// The address before it: where files beside it are.
    #[must_use]
    pub fn server(&self) -> &'static str {
        self.url.rsplit_once('/').map_or("", |(server, _)| server)
    }
}

/// What becomes of a downloaded file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Archive {
    /// It is kept as it is.
    None,
    /// The files of a zip archive go into the folder.
    Zip,
    /// The files of a compressed tape archive go into the folder, less so many leading parts of their paths.
    TarGz {
        /// The parts that are dropped.
        strip: usize,
    },
    /// It is kept, and lists records, a name a line. The files of each are beside it on the server, and with their checksums
    /// in [`Sums::FILE`](super::Sums::FILE), which is downloaded before.
    Records {
        /// The extensions of the files of a record.
        extensions: &'static [&'static str],
    },
}
