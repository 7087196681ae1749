//! Which files and folders a part has, and what they are called.

use super::common::LAYOUTS;
use super::table;
use barnowl_base::error::{Error, Result};
use barnowl_base::file;
use barnowl_base::words::counted;
use std::path::{Path, PathBuf};

/// Whether there is a part of this name.
pub(super) fn exists(folder: &Path, part: &str) -> bool {
    folder.join(part).is_dir() || folder.join(format!("{part}.npz")).is_file()
}

/// The names of the classes in `classes.txt`; none if there is no such file.
pub(super) fn listed(folder: &Path) -> Result<Vec<String>> {
    let list = folder.join("classes.txt");
    if !list.is_file() {
        return Ok(Vec::new());
    }
    let text = table::decode(&file::read(&list)?).map_err(|error| error.in_file(&list))?;
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
    let mut names: Vec<String> = Vec::new();
    for (place, name) in lines {
        if names.iter().any(|known| known == name) {
            return Err(Error::format(format!("the class {name} stands there twice"))
                .in_file(&list)
                .at_line(place + 1));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

/// The names of the classes that the folders of `train` have.
pub(super) fn names_of_folders(folder: &Path) -> Result<Vec<String>> {
    let train = folder.join("train");
    match train.is_dir() {
        true => Ok(file::folders(&train)?.iter().map(|path| name(path)).collect()),
        false => Ok(Vec::new()),
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What a folder is, and where files belong.
const OF_CLASS: [&str; 2] = ["the folder of a class", "the folder of the class itself"];
const OF_PART: [&str; 2] = ["a folder of the part", "the part itself, or in its folders"];

/// The files of a part, each with the class that its folder names, if it lies in one.
pub(super) fn files(
    folder: &Path,
    names: &[String],
    extension: &str,
) -> Result<Vec<(PathBuf, Option<u16>)>> {
    let files = file::files(folder, extension).map_err(|error| error.if_missing(LAYOUTS))?;
    let mut files: Vec<_> = files.into_iter().map(|path| (path, None)).collect();
    for inner in file::folders(folder)? {
        let class = names.iter().position(|known| *known == name(&inner)).ok_or_else(|| {
            Error::format("the folder has the name of no class")
                .in_file(&inner)
                .expected(format!("one of {}", names.join(", ")))
        })?;
        let inside = files_of_folder(&inner, OF_CLASS, extension)?;
        files.extend(inside.into_iter().map(|path| (path, Some(class as u16))));
    }
    Ok(files)
}

/// The files of a part whose sequences have no class: folders only put them in order.
pub(super) fn files_without_classes(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = file::files(folder, extension).map_err(|error| error.if_missing(LAYOUTS))?;
    for inner in file::folders(folder)? {
        files.extend(files_of_folder(&inner, OF_PART, extension)?);
    }
    Ok(files)
}

/// The files in a folder that holds no others in folders of its own: `what` it is, and where files `belong`.
fn files_of_folder(
    folder: &Path,
    [what, belong]: [&str; 2],
    extension: &str,
) -> Result<Vec<PathBuf>> {
    for deeper in file::folders(folder)? {
        let below = file::files(&deeper, extension)?;
        if !below.is_empty() {
            let files = counted(below.len(), "file");
            return Err(Error::format(format!("{what} holds a folder, with {files}"))
                .in_file(&deeper)
                .expected(format!("files .{extension} in {belong}"))
                .remedy("move them up, or elsewhere if they are no data"));
        }
    }
    file::files(folder, extension)
}

/// The path of a file from the folder of its part on.
pub(super) fn relative(path: &Path, part: &Path) -> String {
    path.strip_prefix(part).unwrap_or(path).display().to_string()
}
