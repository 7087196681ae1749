//! MNIST, pixel by pixel: handwritten digits as sequences of 784 steps.
//!
//! The data are those of LeCun, Cortes & Burges (<http://yann.lecun.com/exdb/mnist>), in IDX files, plain or compressed with
//! gzip: a magic number that says type and dimensions, the sizes, and a byte a pixel or label; numbers are big-endian.

use super::{Dataset, Inputs, Pixels, Split, Targets};
use barnowl_base::error::{Error, Result};
use barnowl_base::file;
use barnowl_base::file::gzip::{gunzip, is_gzip};
use barnowl_base::words::counted;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// An image is 28 × 28.
pub const PIXELS: usize = 784;

/// The most files of a folder that a message lists.
const MOST_NAMED: usize = 12;

/// In which order the pixels of an image are read, if not row by row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Permutation {
    /// A random order, the same for all images and for every run with this seed.
    /// Range: 0 to 9223372036854775807.
    Seed(u64),
    /// A text file of the numbers 0 to 783 in the order of reading, separated by white space or commas.
    File(PathBuf),
}

impl Permutation {
    /// Which pixel is read at every step.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or does not hold every number once.
    pub fn order(&self) -> Result<Vec<usize>> {
        match self {
            Self::Seed(seed) => {
                let mut order: Vec<usize> = (0..PIXELS).collect();
                order.shuffle(&mut ChaCha8Rng::seed_from_u64(*seed));
                Ok(order)
            }
            Self::File(path) => {
                let text = file::read_text(path).map_err(|error| {
                    error.if_missing(
                        "the file of dataset.permutation is looked for in the current folder, if its path is relative",
                    )
                })?;
                parse_order(&text).map_err(|error| {
                    error
                        .in_file(path)
                        .remedy("correct it, or draw an order: dataset.permutation = { seed = 1 }")
                })
            }
        }
    }
}

fn parse_order(text: &str) -> Result<Vec<usize>> {
    const EXPECTED: &str = "the numbers 0 to 783, each once";
    let words = text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    let mut order = Vec::with_capacity(PIXELS);
    let mut seen = [false; PIXELS];
    for (place, word) in words.enumerate() {
        let pixel: Option<usize> = word.parse().ok().filter(|pixel| *pixel < PIXELS);
        let Some(pixel) = pixel else {
            return Err(Error::format(format!("number {place} of the order is {word:?}"))
                .expected(EXPECTED));
        };
        if std::mem::replace(&mut seen[pixel], true) {
            return Err(
                Error::format(format!("pixel {pixel} comes twice in the order")).expected(EXPECTED)
            );
        }
        order.push(pixel);
    }
    if order.len() != PIXELS {
        return Err(
            Error::format(format!("the order has {} numbers", order.len())).expected(EXPECTED)
        );
    }
    Ok(order)
}

/// Reads `directory/mnist/train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, or those of `t10k`, with or without `.gz`,
/// or under another name that is customary (such as `train-images.idx3-ubyte`).
///
/// A step shows `window` pixels, from 0 to 1.
///
/// # Errors
///
/// If a file is missing, damaged, or holds anything else: with the byte offset.
pub fn load(
    directory: impl AsRef<Path>,
    split: Split,
    window: usize,
    permutation: Option<&Permutation>,
) -> Result<Dataset> {
    let stem = if split.is_test_of_two("MNIST")? { "t10k" } else { "train" };
    let folder = directory.as_ref().join("mnist");
    let read = |name: &str, dimensions: usize| {
        let path = find(&folder, &format!("{stem}-{name}"))?;
        let bytes = file::read(&path)?;
        let bytes = if is_gzip(&bytes) { gunzip(&bytes) } else { Ok(bytes) };
        let array = bytes.and_then(|bytes| idx(&bytes, dimensions));
        array.map_err(|e| e.in_file(&path)).map(|array| (array, path))
    };
    let ((sizes, mut pixels), images) = read("images-idx3-ubyte", 3)?;
    let ((labelled, labels), path) = read("labels-idx1-ubyte", 1)?;
    if sizes[1..] != [28, 28] {
        return Err(Error::format(format!("images of {} × {} pixels", sizes[1], sizes[2]))
            .in_file(&images)
            .at_byte(8)
            .expected("28 × 28"));
    }
    if labelled[0] != sizes[0] {
        return Err(Error::format(format!(
            "{} for {}",
            counted(labelled[0], "label"),
            counted(sizes[0], "image")
        ))
        .in_file(&path)
        .at_byte(4)
        .remedy("take both files from the same download"));
    }
    if let Some(i) = labels.iter().position(|label| *label > 9) {
        return Err(Error::format(format!("the label of image {i} is {}", labels[i]))
            .in_file(&path)
            .at_byte(8 + i as u64)
            .expected("0 to 9")
            .remedy("the file is damaged, or of other data than MNIST: get it again"));
    }
    let mut order_of = "row by row";
    if let Some(permutation) = permutation {
        let order = permutation.order()?;
        order_of = "permuted";
        let mut image = vec![0; PIXELS];
        for pixels in pixels.chunks_exact_mut(PIXELS) {
            image.copy_from_slice(pixels);
            pixels.iter_mut().zip(&order).for_each(|(to, from)| *to = image[*from]);
        }
    }
    let inputs = Pixels::new(pixels, PIXELS, window)?;
    let origin = format!(
        "MNIST, {}, {} a step, {order_of}",
        counted(sizes[0], &format!("{} image", split.purpose())),
        counted(window, "pixel"),
    );
    let names = (0..10).map(|digit| digit.to_string()).collect();
    let targets = Targets::PerSequence(labels.into_iter().map(u16::from).collect());
    Dataset::new([sizes[0], PIXELS, window], names, Inputs::Pixels(inputs), targets, origin)
        .map_err(|error| error.in_file(&images))
}

/// Where a file may be in its folder: under its own name; if it is one of MNIST, also with a dot before the kind of its
/// numbers, as some unpackers and mirrors name it (`train-images.idx3-ubyte`), in a folder of its own name, or in `raw`. Each
/// plain or compressed.
pub(super) fn places(name: &str) -> Vec<PathBuf> {
    let dotted = name.replacen("-idx", ".idx", 1);
    let mut places = vec![name.to_owned()];
    if dotted != name {
        places.extend([dotted.clone(), format!("{name}/{name}"), format!("{name}/{dotted}")]);
        places.extend([
            format!("{dotted}/{dotted}"),
            format!("raw/{name}"),
            format!("raw/{dotted}"),
        ]);
    }
    let both = |name: String| [PathBuf::from(&name), PathBuf::from(format!("{name}.gz"))];
    places.into_iter().flat_map(both).collect()
}

/// The file of this name, in one of its [`places`].
fn find(folder: &Path, name: &str) -> Result<PathBuf> {
    let mut places = places(name).into_iter().map(|place| folder.join(place));
    if let Some(path) = places.find(|path| path.is_file()) {
        return Ok(path);
    }
    const WANTED: &str = "--data (or BARNOWL_DATA) names the folder that holds mnist/ with the four files \
         {train,t10k}-{images-idx3,labels-idx1}-ubyte (or {train,t10k}-{images.idx3,labels.idx1}-ubyte), plain or .gz";
    let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
    let error = Error::io("read", folder.join(name), missing);
    let Ok(mut found) = file::entries(folder) else {
        return Err(error.remedy(format!("there is no folder {}; {WANTED}", folder.display())));
    };
    found.retain(|path| !file::is_hidden(path));
    found.sort();
    let names = found.iter().filter_map(|path| path.file_name());
    let names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    let found = match names.len() {
        0 => "nothing".to_owned(),
        n if n > MOST_NAMED => {
            format!("{} and {} more", names[..MOST_NAMED].join(", "), n - MOST_NAMED)
        }
        _ => names.join(", "),
    };
    Err(error.remedy(format!("{} holds {found}; {WANTED}", folder.display())))
}

/// The sizes and bytes of an IDX array of unsigned bytes.
fn idx(bytes: &[u8], dimensions: usize) -> Result<(Vec<usize>, Vec<u8>)> {
    let number = |at: usize| {
        bytes.get(at..at + 4).map(|four| four.iter().fold(0, |n, byte| n << 8 | usize::from(*byte)))
    };
    let short = || {
        Error::format(format!("the file is {} bytes long", bytes.len()))
            .at_byte(bytes.len() as u64)
            .expected(format!("a header of {} bytes", 4 + 4 * dimensions))
            .remedy("copy the file again")
    };
    // Two zeros, 8 for unsigned bytes, and the number of dimensions.
    let (magic, expected) = (number(0).ok_or_else(short)?, 0x0800 + dimensions);
    if magic != expected {
        return Err(Error::format(format!("the magic number is {magic:#010x}"))
            .at_byte(0)
            .expected(format!("{expected:#010x}, an IDX file of bytes in {dimensions} dimensions"))
            .remedy("get the file again: often a web page (HTML) was saved under its name"));
    }
    let sizes: Option<Vec<usize>> = (1..=dimensions).map(|i| number(4 * i)).collect();
    let sizes = sizes.ok_or_else(short)?;
    let data = &bytes[4 + 4 * dimensions..];
    let length = sizes.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
    if length != Some(data.len()) {
        return Err(Error::format(format!("{} bytes of data follow the header", data.len()))
            .at_byte(bytes.len() as u64)
            .expected(format!("{sizes:?} as the header says"))
            .remedy("copy the file again"));
    }
    Ok((sizes, data.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn file(magic: u32, sizes: &[u32], data: &[u8]) -> Vec<u8> {
        let numbers = [magic].into_iter().chain(sizes.iter().copied());
        numbers.flat_map(u32::to_be_bytes).chain(data.iter().copied()).collect()
    }

    fn folder(images: &[u8], labels: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mnist = folder.path().join("mnist");
        std::fs::create_dir(&mnist).unwrap();
        std::fs::write(mnist.join("train-images-idx3-ubyte"), images).unwrap();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(labels).unwrap();
        std::fs::write(mnist.join("train-labels-idx1-ubyte.gz"), gzip.finish().unwrap()).unwrap();
        folder
    }

    fn images() -> Vec<u8> {
        file(0x803, &[2, 28, 28], &(0..2 * PIXELS).map(|i| (i % 251) as u8).collect::<Vec<_>>())
    }

    #[test]
    fn pixels_and_labels_are_read() {
        let folder = folder(&images(), &file(0x801, &[2], &[7, 0]));
        let data = load(folder.path(), Split::Train, 8, None).unwrap();
        assert_eq!([data.samples(), data.steps(), data.channels()], [2, 784, 8]);
        assert_eq!(data.targets(), &Targets::PerSequence(vec![7, 0]));
        let batch = data.batch(&[1]);
        let grey = |i: usize| (i % 251) as f32 / 255.0;
        assert_eq!(batch.inputs[..8], (784..792).map(grey).collect::<Vec<_>>());
        let last = &batch.inputs[783 * 8..];
        assert_eq!(last, (2 * 784 - 8..2 * 784).map(grey).collect::<Vec<_>>());

        let permuted = load(folder.path(), Split::Train, 4, Some(&Permutation::Seed(3))).unwrap();
        let order = Permutation::Seed(3).order().unwrap();
        let first: Vec<f32> = order[..4].iter().map(|pixel| grey(*pixel)).collect();
        assert_eq!(permuted.batch(&[0]).inputs[..4], first);
        let file = folder.path().join("order.txt");
        let text: Vec<String> = order.iter().map(usize::to_string).collect();
        std::fs::write(&file, text.join(", ")).unwrap();
        let again = load(folder.path(), Split::Train, 4, Some(&Permutation::File(file))).unwrap();
        assert_eq!(again.inputs(), permuted.inputs());
    }

    #[test]
    fn a_permutation_has_every_pixel_once() {
        let mut order = Permutation::Seed(1).order().unwrap();
        assert_ne!(order, Permutation::Seed(2).order().unwrap());
        order.sort_unstable();
        assert!(order.into_iter().eq(0..PIXELS));
        let message = |text: &str| parse_order(text).unwrap_err().to_string();
        assert!(message("0 1 2").contains("3 numbers"));
        assert!(message("0 1 1").contains("pixel 1 comes twice"));
        assert!(message("0 784").contains("number 1 of the order is \"784\""));
        let file = tempfile::NamedTempFile::new().unwrap();
        let message = |path: &Path| Permutation::File(path.into()).order().unwrap_err().to_string();
        assert!(message(file.path()).contains("seed = 1"));
        assert!(message("no-order.txt".as_ref()).contains("the current folder"));
    }

    #[test]
    fn bad_files_are_refused_with_their_place() {
        let labels = file(0x801, &[2], &[7, 0]);
        let refused = |images: &[u8], labels: &[u8], parts: &[&str]| {
            let folder = folder(images, labels);
            let error = load(folder.path(), Split::Train, 8, None).unwrap_err().to_string();
            for part in parts {
                assert!(error.contains(part), "{error} lacks {part}");
            }
        };
        let good = images();
        refused(&file(0x801, &[2], &[0; 2]), &labels, &["images", "0x00000801", "byte 0"]);
        refused(b"<!DOCTYPE html>", &labels, &["0x3c21444f", "byte 0", "HTML"]);
        refused(&good[..1000], &labels, &["984 bytes of data", "byte 1000"]);
        refused(&good[..9], &labels, &["9 bytes long", "header of 16"]);
        refused(&[], &labels, &["0 bytes long"]);
        refused(&file(0x803, &[1, 1, 784], &[0; 784]), &labels, &["1 × 784", "28 × 28"]);
        refused(&good, &file(0x801, &[3], &[7, 0, 1]), &["labels", "3 labels for 2 images"]);
        refused(&good, &file(0x801, &[2], &[7, 10]), &["image 1 is 10", "byte 9", "get it again"]);
        let huge = file(0x803, &[u32::MAX; 3], &[]);
        refused(&huge, &labels, &["0 bytes of data"]);
    }

    #[test]
    fn files_are_found_under_their_customary_names() {
        let images = images();
        let labels = file(0x801, &[2], &[7, 0]);
        let packed = |bytes: &[u8]| {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(bytes).unwrap();
            gzip.finish().unwrap()
        };
        for stem in ["train", "t10k"] {
            let split = if stem == "train" { Split::Train } else { Split::Test };
            for (image, label) in [
                ("images.idx3-ubyte", "labels.idx1-ubyte"),
                ("images.idx3-ubyte", "labels-idx1-ubyte.gz"),
                ("images.idx3-ubyte.gz", "labels.idx1-ubyte.gz"),
                ("images-idx3-ubyte/train-images-idx3-ubyte", "labels.idx1-ubyte"),
            ] {
                let folder = tempfile::tempdir().unwrap();
                for (name, bytes) in [(image, &images), (label, &labels)] {
                    let name = name.replace("/train", &format!("/{stem}"));
                    let path = folder.path().join(format!("mnist/{stem}-{name}"));
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    let packed = name.ends_with(".gz").then(|| packed(bytes));
                    std::fs::write(path, packed.as_ref().unwrap_or(bytes)).unwrap();
                }
                let data = load(folder.path(), split, 8, None).unwrap();
                assert_eq!(data.targets(), &Targets::PerSequence(vec![7, 0]), "{image}");
            }
        }
        // Where two are there, the published name.
        let folder = folder(&images, &labels);
        std::fs::write(folder.path().join("mnist/train-labels.idx1-ubyte"), b"").unwrap();
        assert!(load(folder.path(), Split::Train, 8, None).is_ok());
    }

    #[test]
    fn a_missing_file_is_named_with_those_that_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("mnist");
        let message = || load(folder.path(), Split::Train, 8, None).unwrap_err().to_string();
        let found = message();
        assert!(found.contains("there is no folder") && found.contains("--data"), "{found}");
        std::fs::create_dir(&inside).unwrap();
        assert!(message().contains("mnist holds nothing; --data"), "{}", message());
        for name in ["train_images.bin", "mnist.npz", ".DS_Store"] {
            std::fs::write(inside.join(name), "").unwrap();
        }
        let found = message();
        for part in [
            "mnist/train-images-idx3-ubyte: cannot read",
            "mnist holds mnist.npz, train_images.bin; --data",
            "images.idx3",
        ] {
            assert!(found.contains(part), "{found} lacks {part}");
        }
        (0..20).for_each(|i| std::fs::write(inside.join(format!("a{i:02}")), "").unwrap());
        assert!(message().contains("a11 and 10 more"), "{}", message());
        let error = load("/nowhere", Split::Test, 8, None).unwrap_err().to_string();
        assert!(error.contains("t10k-images-idx3-ubyte") && error.contains("--data"), "{error}");
    }
}
