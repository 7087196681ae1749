//! `barnowl data`: which data sets there are, whether they are here, getting those that are openly served, and a look at what a
//! network gets.

mod download;
mod look;
mod sketch;
mod unpack;

use crate::args::{Data, DataAction, DataSets};
use crate::print::{print_json, print_line};
use barnowl::dataset::catalog::{self, Archive, SOURCES, Source, Status, Sums};
use barnowl::error::{Error, Result};
use barnowl::file;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub fn run(args: &DataSets) -> Result<ExitCode> {
    match &args.action {
        None => list(&args.data, args.output.json),
        Some(DataAction::Fetch { name, mirror, data }) => {
            fetch(find(name)?, &folder(data)?, mirror.as_deref())
        }
        Some(DataAction::Verify { name, data }) => verify(find(name)?, &folder(data)?),
        Some(DataAction::Look(args)) => look::run(args),
    }
}

fn find(name: &str) -> Result<&'static Source> {
    catalog::source(name).ok_or_else(|| {
        let names: Vec<&str> = SOURCES.iter().map(|source| source.name).collect();
        Error::config(format!("there is no data set {name:?}")).expected(names.join(", "))
    })
}

fn folder(data: &Data) -> Result<PathBuf> {
    data.directory().ok_or_else(|| {
        Error::config("no data folder is given")
            .expected("--data DIR, or BARNOWL_DATA in the environment")
    })
}

/// What is there of a data set, in a few words.
pub fn describe(source: &Source, data: Option<&Path>) -> String {
    match data.map(|data| source.status(data)) {
        None => "no data folder given".into(),
        Some(Status::Absent) => "not there".into(),
        Some(Status::Incomplete(missing)) => format!("incomplete: {}", without(&missing)),
        Some(Status::Complete) => "there".into(),
    }
}

fn without(missing: &[String]) -> String {
    format!("no {}", missing.join(", no "))
}

fn list(data: &Data, as_json: bool) -> Result<ExitCode> {
    let data = data.directory();
    let data = data.as_deref();
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
            true => by_hand(source),
            false => fetch_command(source, data),
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
    let problem = match source.status(data) {
        Status::Complete => {
            let hint = |error: Error| error.remedy(how_to_get(source, data));
            print_line(&whole(source, source.verify(data).map_err(hint)?))?;
            return Ok(ExitCode::SUCCESS);
        }
        Status::Absent => "there is no such folder".to_owned(),
        Status::Incomplete(missing) => without(&missing),
    };
    Err(Error::format(problem)
        .in_file(data.join(source.name))
        .expected(source.expects)
        .remedy(how_to_get(source, data)))
}

/// What to do about a data set that is not there, or not as published.
fn how_to_get(source: &Source, data: &Path) -> String {
    let by_hand = by_hand(source);
    match source.downloads.is_empty() {
        true => format!("how to get it: {by_hand}"),
        false => format!("how to get it: `{}`, or {by_hand}", fetch_command(source, Some(data))),
    }
}

/// What is to be said of a data set of which all files are there, and so many of them equal their checksums.
fn whole(source: &Source, verified: usize) -> String {
    let Source { name, .. } = source;
    match verified {
        0 => format!("{name}: all files are there; no checksums of them are known here"),
        n => format!("{name}: all files are there, {n} equal their published checksums"),
    }
}

fn fetch_command(source: &Source, data: Option<&Path>) -> String {
    let data = data.unwrap_or(Path::new("DIR"));
    format!("barnowl data fetch {} --data {}", source.name, data.display())
}

/// How to come by a data set without this command.
fn by_hand(source: &Source) -> String {
    if !source.by_hand.is_empty() {
        return source.by_hand.to_owned();
    }
    let (place, downloads) = (source.name, source.downloads);
    let packed = |archive: Archive| matches!(archive, Archive::Zip | Archive::TarGz { .. });
    let unpacked = match downloads.iter().any(|download| packed(download.archive)) {
        true => "unpacked ",
        false => "",
    };
    let from = match downloads {
        [] => source.page.to_owned(),
        _ => downloads.iter().map(|download| download.url).collect::<Vec<_>>().join(" "),
    };
    format!("by hand from {from}, {unpacked}into the folder {place} of the data folder")
}

fn fetch(source: &Source, data: &Path, mirror: Option<&str>) -> Result<ExitCode> {
    if source.downloads.is_empty() {
        return Err(Error::config(format!("{} is not openly served", source.name))
            .expected(source.expects)
            .remedy(format!("how to get it: {}", by_hand(source))));
    }
    if source.status(data) == Status::Complete {
        let compared = source.compare(data)?;
        if compared.iter().all(|(_, result)| result.is_ok()) {
            print_line(&format!("{}: nothing to fetch", whole(source, compared.len())))?;
            return Ok(ExitCode::SUCCESS);
        }
    }
    let folder = data.join(source.name);
    let made: Vec<&Path> =
        [folder.as_path(), data].into_iter().filter(|folder| !folder.exists()).collect();
    file::create_folder(&folder)?;
    if let Err(error) = get(source, &folder, mirror) {
        for folder in made {
            // Only what is empty can be removed so.
            let _ = std::fs::remove_dir(folder);
        }
        return Err(error);
    }
    for (path, result) in source.compare(data)? {
        let mut packed = path.as_os_str().to_owned();
        packed.push(".gz");
        if result.is_err() && Path::new(&packed).is_file() {
            // Readers would take it before the compressed one that was downloaded.
            std::fs::remove_file(&path).map_err(|error| Error::io("remove", &path, error))?;
            eprintln!("note: {} was not what is published: removed", path.display());
        }
    }
    match source.status(data) {
        Status::Incomplete(missing) => Err(Error::format(without(&missing))
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

/// Downloads a data set into its folder. What is there and as published stays; what is not is replaced.
fn get(source: &Source, folder: &Path, mirror: Option<&str>) -> Result<()> {
    let agent = download::agent();
    for download in source.downloads {
        let server = mirror.unwrap_or(download.server()).trim_end_matches('/');
        let fetch = |name: &str, check: &dyn Fn(&Path) -> Result<()>| {
            let hint = |error: Error| error.remedy(format!("how to get it: {}", by_hand(source)));
            let url = format!("{server}/{name}");
            download::fetch(&agent, &url, &folder.join(name), check).map_err(hint)
        };
        let name = download.file_name();
        // Those of the download before.
        let sums = Sums::read(folder)?;
        let checksum = download.checksum.or(sums.get(name));
        fetch(name, &|path: &Path| match (checksum, source.checksum(name)) {
            (Some(of_file), _) => of_file.verify_file(path),
            (None, Some(of_contents)) => of_contents.verify_contents(path),
            (None, None) => Ok(()),
        })?;
        let to = folder.join(name);
        match download.archive {
            Archive::None => continue,
            Archive::Records { extensions } => {
                if sums.is_empty() {
                    return Err(Error::format("there are no checksums")
                        .in_file(folder.join(Sums::FILE))
                        .expected("the digits and the name of every file that is served")
                        .remedy("remove the file and fetch again"));
                }
                for record in records(&to)? {
                    for extension in extensions {
                        let name = format!("{record}.{extension}");
                        // What the list leaves out is not served.
                        if let Some(checksum) = sums.get(&name) {
                            fetch(&name, &|path: &Path| checksum.verify_file(path))?;
                        }
                    }
                }
                continue;
            }
            Archive::Zip => unpack::zip(&to, folder)?,
            Archive::TarGz { strip } => unpack::tar_gz(&to, folder, strip)?,
        }
        std::fs::remove_file(&to).map_err(|error| Error::io("remove", &to, error))?;
    }
    Ok(())
}

/// The names that a list of records holds, none of which leads out of the folder.
fn records(list: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for (line, name) in (1..).zip(file::read_text(list)?.lines()) {
        let name = name.trim();
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) {
            return Err(Error::format(format!("{name:?}"))
                .in_file(list)
                .at_line(line)
                .expected("the name of a record, such as sel100")
                .remedy("remove the file and fetch again"));
        }
        if !name.is_empty() {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}
