//! `barnowl data`: which data sets there are, whether they are here, and getting those that are openly served.

mod download;
mod unpack;

use crate::args::{Data, DataAction, DataSets};
use crate::{print_json, print_line};
use barnowl::dataset::catalog::{self, Archive, SOURCES, Source, Status};
use barnowl::error::{Error, Result};
use barnowl::file;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub fn run(args: &DataSets) -> Result<ExitCode> {
    match &args.action {
        None => list(&args.data, args.output.json),
        Some(DataAction::Fetch { name, mirror, data }) => {
            fetch(find(name)?, folder(data)?, mirror.as_deref())
        }
        Some(DataAction::Verify { name, data }) => verify(find(name)?, folder(data)?),
    }
}

fn find(name: &str) -> Result<&'static Source> {
    catalog::source(name).ok_or_else(|| {
        let names: Vec<&str> = SOURCES.iter().map(|source| source.name).collect();
        Error::config(format!("there is no data set {name:?}")).expected(names.join(", "))
    })
}

fn folder(data: &Data) -> Result<&Path> {
    data.directory.as_deref().ok_or_else(|| {
        Error::config("no data folder is given")
            .expected("--data DIR, or BARNOWL_DATA in the environment")
    })
}

/// What is there of a data set, in a few words.
pub fn describe(source: &Source, data: Option<&Path>) -> String {
    match data.map(|data| source.status(data)) {
        None => "no data folder given".into(),
        Some(Status::Absent) => "not there".into(),
        Some(Status::Incomplete(missing)) => format!("incomplete: no {}", missing.join(", no ")),
        Some(Status::Complete) => "there".into(),
    }
}

fn list(data: &Data, as_json: bool) -> Result<ExitCode> {
    let data = data.directory.as_deref();
    if as_json {
        let sources: Vec<_> = SOURCES
            .iter()
            .map(
                |source| json!({ "source": source, "found": data.map(|data| source.status(data)) }),
            )
            .collect();
        print_json(&json!({ "folder": data, "data": sources }))?;
        return Ok(ExitCode::SUCCESS);
    }
    match data {
        Some(data) => print_line(&format!("data folder: {}\n", data.display()))?,
        None => print_line("data folder: none (--data DIR, or BARNOWL_DATA)\n")?,
    }
    for source in SOURCES {
        let Source { name, title, tasks, licence, page, expects, downloads, .. } = source;
        let from = match downloads.is_empty() {
            true => "by hand, from there".to_owned(),
            false => format!("barnowl data fetch {name}"),
        };
        print_line(&format!(
            "{name}: {title}\n  status   {}\n  tasks    {}\n  licence  {licence}\n  page     {page}\n  \
             expects  {name}/: {expects}\n  get it   {from}\n",
            describe(source, data),
            tasks.join(", "),
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn verify(source: &Source, data: &Path) -> Result<ExitCode> {
    match source.status(data) {
        Status::Complete => {}
        Status::Absent => {
            return Err(Error::format("there is no such folder")
                .in_file(data.join(source.name))
                .expected(source.expects)
                .remedy(by_hand(source)));
        }
        Status::Incomplete(missing) => {
            return Err(Error::format(format!("no {}", missing.join(", no ")))
                .in_file(data.join(source.name))
                .expected(source.expects)
                .remedy(by_hand(source)));
        }
    }
    let verified = source.verify(data)?;
    print_line(&match verified {
        0 => format!("{}: all files are there; no checksums of them are published", source.name),
        n => format!("{}: all files are there, {n} equal their published checksums", source.name),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// How to come by a data set.
pub fn by_hand(source: &Source) -> String {
    let place = format!("{}, into the folder {} of the data folder", source.page, source.name);
    match source.downloads.is_empty() {
        true => format!("get it from {place}"),
        false => format!("`barnowl data fetch {}`, or get it by hand from {place}", source.name),
    }
}

fn fetch(source: &Source, data: &Path, mirror: Option<&str>) -> Result<ExitCode> {
    if source.downloads.is_empty() {
        return Err(Error::config(format!("{} is not openly served", source.name))
            .expected(source.expects)
            .remedy(by_hand(source)));
    }
    if source.status(data) == Status::Complete {
        print_line(&format!("{} is there: nothing to fetch", source.name))?;
        return Ok(ExitCode::SUCCESS);
    }
    let folder = data.join(source.name);
    file::create_folder(&folder)?;
    for download in source.downloads {
        let name = download.file_name();
        let url = match mirror {
            Some(mirror) => format!("{}/{name}", mirror.trim_end_matches('/')),
            None => download.url.to_owned(),
        };
        let to: PathBuf = folder.join(name);
        let hint = |error: Error| error.remedy(by_hand(source));
        download::fetch(&url, &to, download.checksum).map_err(hint)?;
        match download.archive {
            Archive::None => continue,
            Archive::Zip => unpack::zip(&to, &folder)?,
            Archive::TarGz { strip } => unpack::tar_gz(&to, &folder, strip)?,
        }
        std::fs::remove_file(&to).map_err(|error| Error::io("remove", &to, error))?;
    }
    match source.status(data) {
        Status::Incomplete(missing) => Err(Error::format(format!("no {}", missing.join(", no ")))
            .in_file(&folder)
            .expected(source.expects)
            .remedy("what was served is not what is expected: see the page of the data set")),
        _ => {
            source.verify(data)?;
            print_line(&format!("{} is in {}", source.name, folder.display()))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
