//! Archives into folders: whole, or not at all. Paths in an archive that lead out of the folder are refused.

use barnowl::error::{Error, Result};
use barnowl::file;
use flate2::read::GzDecoder;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Component, Path, PathBuf};

/// Unpacks the files of a zip archive into `folder`.
pub fn zip(archive: &Path, folder: &Path) -> Result<()> {
    whole(folder, |place| zip_into(archive, place))
}

/// Unpacks the files of a compressed tape archive into `folder`, without the first `strip` parts of their paths.
pub fn tar_gz(archive: &Path, folder: &Path, strip: usize) -> Result<()> {
    whole(folder, |place| tar_gz_into(archive, place, strip))
}

/// Unpacks into a hidden folder beside `folder`, and moves what is there when all of it is: what a call that was killed has
/// unpacked is not taken for the data.
fn whole(folder: &Path, unpack: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let mut name = OsString::from(".");
    name.push(folder.file_name().unwrap_or_default());
    name.push(".unpacking");
    let place = folder.with_file_name(name);
    let clear = || match place.is_dir() {
        true => std::fs::remove_dir_all(&place).map_err(|error| Error::io("remove", &place, error)),
        false => Ok(()),
    };
    // Of a call that was killed.
    clear()?;
    file::create_folder(&place)?;
    let unpacked = unpack(&place).and_then(|()| {
        file::create_folder(folder)?;
        move_into(&place, folder)
    });
    if unpacked.is_err() {
        // The failure is being reported; one more, of tidying up, would only hide it.
        let _ = clear();
    }
    unpacked
}

/// Moves what is in the folder `from` into the folder `to`, into the folders that there are and over files of the same names.
fn move_into(from: &Path, to: &Path) -> Result<()> {
    for path in file::entries(from)? {
        let to = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() && to.is_dir() {
            move_into(&path, &to)?;
        } else {
            std::fs::rename(&path, &to).map_err(|error| Error::io("rename", &path, error))?;
        }
    }
    std::fs::remove_dir(from).map_err(|error| Error::io("remove", from, error))
}

fn zip_into(archive: &Path, folder: &Path) -> Result<()> {
    let damaged = |error: zip::result::ZipError| damaged(archive, &error);
    let mut zip = zip::ZipArchive::new(BufReader::new(file::open(archive)?)).map_err(damaged)?;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(damaged)?;
        if entry.is_file() {
            let path = inside(archive, Path::new(entry.name().map_err(damaged)?.as_ref()), 0)?;
            if let Some(path) = path {
                write(&mut entry, &folder.join(path), archive)?;
            }
        }
    }
    Ok(())
}

fn tar_gz_into(archive: &Path, folder: &Path, strip: usize) -> Result<()> {
    let damaged = |error: std::io::Error| damaged(archive, &error);
    let mut tar = tar::Archive::new(GzDecoder::new(BufReader::new(file::open(archive)?)));
    for entry in tar.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        if entry.header().entry_type().is_file() {
            let path = entry.path().map_err(damaged)?.into_owned();
            if let Some(path) = inside(archive, &path, strip)? {
                write(&mut entry, &folder.join(path), archive)?;
            }
        }
    }
    Ok(())
}

/// A path without its first parts, if anything is left of it; one that leads out of the folder is refused.
fn inside(archive: &Path, path: &Path, strip: usize) -> Result<Option<PathBuf>> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    let mut inside = PathBuf::new();
    for part in parts.skip(strip) {
        match part {
            Component::Normal(part) => inside.push(part),
            _ => {
                return Err(Error::format(format!("the path {} leads elsewhere", path.display()))
                    .in_file(archive)
                    .expected("paths below the folder"));
            }
        }
    }
    Ok((!inside.as_os_str().is_empty()).then_some(inside))
}

/// A file, brought to the disk: the archive is removed once all are there.
fn write(from: &mut impl Read, to: &Path, archive: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        file::create_folder(folder)?;
    }
    let mut file = File::create(to).map_err(|error| Error::io("create", to, error))?;
    std::io::copy(from, &mut file).map_err(|error| damaged(archive, &error))?;
    file.sync_all().map_err(|error| Error::io("write", to, error))
}

fn damaged(archive: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::format(format!("the archive cannot be unpacked: {error}"))
        .in_file(archive)
        .remedy("remove it and fetch it again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn both_kinds_are_unpacked() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a.zip");
        let mut writer = zip::ZipWriter::new(File::create(&path).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file("inner/a.txt", options).unwrap();
        writer.write_all(b"zipped").unwrap();
        writer.finish().unwrap();
        zip(&path, &temp.path().join("out")).unwrap();
        assert_eq!(std::fs::read(temp.path().join("out/inner/a.txt")).unwrap(), b"zipped");

        let path = temp.path().join("a.tar.gz");
        let gz = flate2::write::GzEncoder::new(File::create(&path).unwrap(), Default::default());
        let mut writer = tar::Builder::new(gz);
        let mut header = tar::Header::new_gnu();
        header.set_size(5);
        header.set_mode(0o644);
        writer.append_data(&mut header, "top-1.0/sounds/b.txt", &b"taped"[..]).unwrap();
        writer.into_inner().unwrap().finish().unwrap();
        tar_gz(&path, &temp.path().join("out"), 1).unwrap();
        assert_eq!(std::fs::read(temp.path().join("out/sounds/b.txt")).unwrap(), b"taped");
    }

    #[test]
    fn a_folder_gets_all_or_nothing_and_keeps_what_it_has() {
        let temp = tempfile::tempdir().unwrap();
        let (archive, out) = (temp.path().join("a.tar.gz"), temp.path().join("out"));
        let gz = flate2::write::GzEncoder::new(Vec::new(), Default::default());
        let mut writer = tar::Builder::new(gz);
        for name in ["words/yes/1.wav", "words/yes/2.wav", "list.txt"] {
            let mut header = tar::Header::new_gnu();
            header.set_size(3);
            header.set_mode(0o644);
            writer.append_data(&mut header, name, &b"new"[..]).unwrap();
        }
        let bytes = writer.into_inner().unwrap().finish().unwrap();
        let names = |folder: &Path| {
            let paths = file::entries(folder).unwrap();
            let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
            let mut names: Vec<String> = paths.iter().map(name).collect();
            names.sort();
            names
        };
        // Cut short, as a download without a checksum may be.
        std::fs::write(&archive, &bytes[..bytes.len() / 2]).unwrap();
        assert!(tar_gz(&archive, &out, 0).is_err());
        assert_eq!(names(temp.path()), ["a.tar.gz"]);
        // What a killed call left is cleared away, files of the same names are replaced, others stay.
        std::fs::write(&archive, &bytes).unwrap();
        std::fs::create_dir_all(temp.path().join(".out.unpacking/words/no")).unwrap();
        std::fs::create_dir_all(out.join("words/yes")).unwrap();
        std::fs::write(out.join("words/yes/1.wav"), "old").unwrap();
        std::fs::write(out.join("words/yes/own.wav"), "own").unwrap();
        tar_gz(&archive, &out, 0).unwrap();
        assert_eq!(names(temp.path()), ["a.tar.gz", "out"]);
        assert_eq!(names(&out), ["list.txt", "words"]);
        assert_eq!(names(&out.join("words")), ["yes"]);
        assert_eq!(names(&out.join("words/yes")), ["1.wav", "2.wav", "own.wav"]);
        assert_eq!(std::fs::read(out.join("words/yes/1.wav")).unwrap(), b"new");
    }

    #[test]
    fn what_leads_elsewhere_or_is_no_archive_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a.zip");
        let mut writer = zip::ZipWriter::new(File::create(&path).unwrap());
        writer.start_file("../evil.txt", zip::write::SimpleFileOptions::default()).unwrap();
        writer.finish().unwrap();
        let error = zip(&path, &temp.path().join("out")).unwrap_err().to_string();
        assert!(error.contains("leads elsewhere"), "{error}");
        assert!(!temp.path().join("evil.txt").exists());
        std::fs::write(&path, "no archive").unwrap();
        for result in [zip(&path, temp.path()), tar_gz(&path, temp.path(), 0)] {
            assert!(result.unwrap_err().to_string().contains("cannot be unpacked"));
        }
    }
}
