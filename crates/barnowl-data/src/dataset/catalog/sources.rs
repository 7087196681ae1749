//! What is known of each data set.
//!
//! Checksums: those of MNIST and SHD are the ones that torchvision and tonic check against, those of Speech Commands the
//! ones of TensorFlow Datasets. The counts of Speech Commands are the published ones, of its first and its second version.

use super::{Archive, Checksum, Download, Expected, Source};

const fn file(path: &'static str) -> Expected {
    Expected::File { path, checksum: None }
}

const fn mnist(path: &'static str, md5: &'static str) -> Expected {
    Expected::File { path, checksum: Some(Checksum::Md5(md5)) }
}

const fn plain(url: &'static str) -> Download {
    Download { url, checksum: None, archive: Archive::None }
}

const fn zip(url: &'static str, md5: &'static str) -> Download {
    Download { url, checksum: Some(Checksum::Md5(md5)), archive: Archive::Zip }
}

/// All data sets.
pub const SOURCES: &[Source] = &[
    Source {
        name: "qtdb",
        title: "QT Database: two-lead ECGs, waves annotated",
        tasks: &["ecg", "ecg-paper"],
        licence: "ODC-BY 1.0 (recordings), MIT (encoded events)",
        page: "https://physionet.org/content/qtdb/1.0.0/",
        expects: "QTDB_train.mat and QTDB_test.mat, as the model's authors encoded them",
        files: &[file("QTDB_train.mat"), file("QTDB_test.mat")],
        downloads: &[
            plain(
                "https://raw.githubusercontent.com/byin-cwi/Efficient-spiking-networks/main/data/QTDB_train.mat",
            ),
            plain(
                "https://raw.githubusercontent.com/byin-cwi/Efficient-spiking-networks/main/NMI_vis/ecg/QTDB_test.mat",
            ),
        ],
        by_hand: "",
    },
    Source {
        name: "qtdb-raw",
        title: "QT Database as PhysioNet publishes it: recordings and annotations",
        tasks: &["ecg-raw"],
        licence: "Open Data Commons Attribution 1.0 (ODC-BY)",
        page: "https://physionet.org/content/qtdb/1.0.0/",
        expects: "RECORDS and every recording's .hea, .dat and .q1c (or .pu0, with that annotator)",
        files: &[
            file("RECORDS"),
            Expected::Files { folder: "", extension: "hea", counts: &[105] },
            Expected::Files { folder: "", extension: "dat", counts: &[105] },
            Expected::Files { folder: "", extension: "q1c", counts: &[105] },
        ],
        downloads: &[
            plain("https://physionet.org/files/qtdb/1.0.0/SHA256SUMS.txt"),
            Download {
                url: "https://physionet.org/files/qtdb/1.0.0/RECORDS",
                checksum: None,
                archive: Archive::Records { extensions: &["hea", "dat", "q1c", "pu0"] },
            },
        ],
        by_hand: "wget -r -N -c -np -nH --cut-dirs=3 -P DIR/qtdb-raw https://physionet.org/files/qtdb/1.0.0/",
    },
    Source {
        name: "mnist",
        title: "MNIST: handwritten digits",
        tasks: &["smnist", "psmnist", "smnist-windows", "psmnist-windows"],
        licence: "CC BY-SA 3.0",
        page: "https://yann.lecun.com/exdb/mnist/",
        expects: "train-images-idx3-ubyte and the like, plain or .gz",
        files: &[
            mnist("train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb"),
            mnist("train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624"),
            mnist("t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea"),
            mnist("t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c329615203637"),
        ],
        downloads: &[
            plain("https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz"),
            plain("https://ossci-datasets.s3.amazonaws.com/mnist/train-labels-idx1-ubyte.gz"),
            plain("https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz"),
            plain("https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz"),
        ],
        by_hand: "",
    },
    Source {
        name: "shd",
        title: "Spiking Heidelberg Digits: spoken digits as spikes of 700 cochlear channels",
        tasks: &["shd"],
        licence: "CC BY 4.0",
        page: "https://zenkelab.org/resources/spiking-heidelberg-datasets-shd/",
        expects: "shd_train.h5 and shd_test.h5",
        files: &[file("shd_train.h5"), file("shd_test.h5")],
        downloads: &[
            zip(
                "https://zenkelab.org/datasets/shd_train.h5.zip",
                "f3252aeb598ac776c1b526422d90eecb",
            ),
            zip(
                "https://zenkelab.org/datasets/shd_test.h5.zip",
                "1503a5064faa34311c398fb0a1ed0a6f",
            ),
        ],
        by_hand: "",
    },
    Source {
        name: "ssc",
        title: "Spiking Speech Commands: 35 words as spikes of 700 cochlear channels",
        tasks: &["ssc"],
        licence: "CC BY 4.0",
        page: "https://zenkelab.org/resources/spiking-heidelberg-datasets-shd/",
        expects: "ssc_train.h5, ssc_valid.h5 and ssc_test.h5",
        files: &[file("ssc_train.h5"), file("ssc_valid.h5"), file("ssc_test.h5")],
        downloads: &[
            zip(
                "https://zenkelab.org/datasets/ssc_train.h5.zip",
                "d102be95e7144fcc0553d1f45ba94170",
            ),
            zip(
                "https://zenkelab.org/datasets/ssc_valid.h5.zip",
                "b4eee3516a4a90dd0c71a6ac23a8ae43",
            ),
            zip(
                "https://zenkelab.org/datasets/ssc_test.h5.zip",
                "a35ff1e9cffdd02a20eb850c17c37748",
            ),
        ],
        by_hand: "",
    },
    Source {
        name: "gsc",
        title: "Google Speech Commands: a second of sound, 35 words (30 in v0.01)",
        tasks: &["gsc", "gsc-35"],
        licence: "CC BY 4.0",
        page: "https://arxiv.org/abs/1804.03209",
        expects: "a folder for every word, _background_noise_, validation_list.txt and testing_list.txt",
        files: &[
            file("validation_list.txt"),
            file("testing_list.txt"),
            Expected::Files { folder: "_background_noise_", extension: "wav", counts: &[6] },
            Expected::Files { folder: "", extension: "wav", counts: &[64_727, 105_829] },
        ],
        downloads: &[Download {
            url: "https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
            checksum: Some(Checksum::Sha256(
                "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
            )),
            archive: Archive::TarGz { strip: 0 },
        }],
        by_hand: "",
    },
    Source {
        name: "timit",
        title: "TIMIT: read sentences, every phone labelled",
        tasks: &["timit"],
        licence: "LDC, to be paid for",
        page: "https://catalog.ldc.upenn.edu/LDC93S1",
        expects: "TRAIN/ and TEST/ with DRn/SPEAKER/SENTENCE.WAV and .PHN",
        files: &[
            Expected::Files { folder: "", extension: "wav", counts: &[6_300] },
            Expected::Files { folder: "", extension: "phn", counts: &[6_300] },
        ],
        downloads: &[],
        by_hand: "",
    },
    Source {
        name: "soli",
        title: "deep-soli: eleven gestures before a radar",
        tasks: &["soli"],
        licence: "research use, on the authors' terms",
        page: "https://github.com/simonwsw/deep-soli",
        expects: "the .h5 files GESTURE_SESSION_INSTANCE.h5 and the split file_half.json",
        files: &[
            file("file_half.json"),
            Expected::Files { folder: "", extension: "h5", counts: &[2_750] },
        ],
        downloads: &[],
        by_hand: "the .h5 files are at https://polybox.ethz.ch/index.php/s/wG93iTUdvRU8EaT, the split is config/file_half.json of \
                  https://github.com/simonwsw/deep-soli: all of them directly into the folder soli of the data folder",
    },
    Source {
        name: "fsdd",
        title: "Free Spoken Digit Dataset: six speakers, ten digits",
        tasks: &["fsdd"],
        licence: "CC BY-SA 4.0",
        page: "https://github.com/Jakobovski/free-spoken-digit-dataset",
        expects: "recordings/{digit}_{speaker}_{index}.wav",
        files: &[Expected::Files { folder: "recordings", extension: "wav", counts: &[3_000] }],
        downloads: &[Download {
            url: "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.tar.gz",
            checksum: None,
            archive: Archive::TarGz { strip: 1 },
        }],
        by_hand: "",
    },
    Source {
        name: "fsdd-spikes",
        title: "The same speech through the cochlea of the Spiking Heidelberg Digits",
        tasks: &["fsdd-spikes", "fsdd-spikes-augmented"],
        licence: "CC BY-SA 4.0",
        page: "https://github.com/Jakobovski/free-spoken-digit-dataset",
        expects: "train.h5 and test.h5, in the layout of the Spiking Heidelberg Digits",
        files: &[file("train.h5"), file("test.h5")],
        downloads: &[],
        by_hand: "not served: the recordings are free (data set fsdd), these files were made of them by the published chain; spikes \
                  of sounds of your own, or of those recordings, are made by form = { sound = { encoder = \"cochlea\" } } \
                  (docs/own-data.md)",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_whole() {
        for source in SOURCES {
            assert!(!source.tasks.is_empty() && !source.files.is_empty(), "{}", source.name);
            for expected in source.files {
                if let Expected::Files { counts, .. } = expected {
                    assert!(!counts.is_empty() && counts.is_sorted(), "{}", source.name);
                }
            }
            for download in source.downloads {
                assert!(download.url.starts_with("https://"), "{}", download.url);
                let parts = [download.server(), download.file_name()];
                assert_eq!(parts.join("/"), download.url);
            }
            for checksum in source
                .files
                .iter()
                .filter_map(|expected| match expected {
                    Expected::File { checksum, .. } => *checksum,
                    Expected::Files { .. } => None,
                })
                .chain(source.downloads.iter().filter_map(|download| download.checksum))
            {
                let (digits, length) = match checksum {
                    Checksum::Md5(digits) => (digits, 32),
                    Checksum::Sha256(digits) => (digits, 64),
                };
                assert!(digits.len() == length && digits.chars().all(|c| c.is_ascii_hexdigit()));
            }
        }
    }
}
