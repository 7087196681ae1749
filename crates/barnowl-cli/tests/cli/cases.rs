//! What users brought and an earlier version misread, mistook or refused without a way out: one test a case.

use super::own::{at, table, tables, train, with_task, write};
use super::{folder, json, refuses, stderr, succeeds};
use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a run came to, to the last bit, and what was said on the way.
struct Outcome {
    test: Value,
    metrics: String,
    said: String,
}

impl Outcome {
    /// Labels that were judged.
    fn judged(&self) -> u64 {
        let of = |class: &Value| class["score"]["support"].as_u64().unwrap();
        self.test["classes"].as_array().unwrap().iter().map(of).sum()
    }

    #[track_caller]
    fn is(&self, other: &Self) {
        assert_eq!(self.test, other.test);
        assert_eq!(self.metrics, other.metrics);
    }

    #[track_caller]
    fn says(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.said.contains(part), "{part:?} is not in: {}", self.said);
        }
    }
}

/// Runs a training in the folder `m` below `folder`.
#[track_caller]
fn outcome(folder: &Path, command: Command) -> Outcome {
    let output = succeeds(command);
    let test = json(&output)["test"].clone();
    let metrics = std::fs::read_to_string(folder.join("m/metrics.jsonl")).unwrap();
    Outcome { test, metrics, said: stderr(&output) }
}

#[track_caller]
fn trained(folder: &Path) -> Outcome {
    outcome(folder, train(folder))
}

pub fn with(mut command: Command, settings: &[&str]) -> Command {
    for setting in settings {
        command.args(["--set", setting]);
    }
    command
}

/// The command is refused with all of `parts`, and leaves nothing where it was to write.
#[track_caller]
fn refused(folder: &Path, command: Command, parts: &[&str]) {
    refuses(command, parts);
    for name in ["m", "m.safetensors", "runs"] {
        assert!(!folder.join(name).exists(), "{name} is left");
    }
}

fn as_it_is(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

// Tables.

/// Movements in folders of their classes, as tables that `dialect` writes.
fn movements(dialect: impl Fn(&str) -> Vec<u8>) -> tempfile::TempDir {
    let temp = with_task("\"csv\"", "mean_membrane");
    tables(temp.path(), dialect);
    temp
}

/// Movements with a label at every step: of each, the second half is of the other class.
fn labelled(dialect: impl Fn(&str) -> Vec<u8>) -> tempfile::TempDir {
    let temp = with_task("\"csv\"", "per_step");
    for (part, count) in [("train", 8), ("test", 4)] {
        for i in 0..count {
            let class = |t: usize| usize::from((t < 8) == (i % 2 == 0));
            let rows = [0, 1].map(|class| table(class, i, 16));
            let mut text = "label,x,y\n".to_owned();
            for t in 0..16 {
                text += &format!("{},{}\n", class(t), rows[class(t)].lines().nth(t + 1).unwrap());
            }
            write(temp.path(), &format!("data/{part}/{i}.csv"), dialect(&text));
        }
    }
    temp
}

/// Movements that `dialect` writes are those of plain tables.
#[track_caller]
fn reads_as_plain(dialect: impl Fn(&str) -> Vec<u8>) {
    trained(movements(dialect).path()).is(&trained(movements(as_it_is).path()));
}

#[test]
fn csv_appledouble() {
    let temp = movements(as_it_is);
    let plain = trained(movements(as_it_is).path());
    for file in ["train/a/._0.csv", "train/b/._7.csv", "test/a/._0.csv"] {
        write(temp.path(), &format!("data/{file}"), [0, 5, 0x16, 7, 0xb8]);
    }
    trained(temp.path()).is(&plain);
}

#[test]
fn csv_classes_txt_bom() {
    let temp = movements(as_it_is);
    write(temp.path(), "data/classes.txt", "\u{feff}a\r\nb\r\n");
    trained(temp.path()).is(&trained(movements(as_it_is).path()));
}

/// Movements of which the test part has its columns in the other order, and, if `named`, their names too.
fn swapped(named: bool) -> tempfile::TempDir {
    let temp = movements(as_it_is);
    for file in ["a/0", "a/1", "a/2", "b/0", "b/1", "b/2"] {
        let path = temp.path().join(format!("data/test/{file}.csv"));
        let text = std::fs::read_to_string(&path).unwrap();
        let swap = |line: &str| match line.split_once(',') {
            Some((x, y)) if named || line != "x,y" => format!("{y},{x}\n"),
            _ => format!("{line}\n"),
        };
        std::fs::write(&path, text.lines().map(swap).collect::<String>()).unwrap();
    }
    temp
}

#[test]
fn csv_columns_swapped_in_test() {
    let plain = trained(movements(as_it_is).path());
    let by_name = trained(swapped(true).path());
    by_name.is(&plain);
    by_name.says(&["6 files have their columns in another order, which are read by name, as x, y"]);
    // Taken by place, they would be other data.
    assert_ne!(trained(swapped(false).path()).test["loss"], plain.test["loss"]);
}

#[test]
fn csv_ipynb_checkpoints() {
    let temp = movements(as_it_is);
    for i in 0..3 {
        let name = format!("data/train/.ipynb_checkpoints/{i}.csv");
        write(temp.path(), &name, table(0, i, 20));
    }
    // Nor does the advice of three classes train one of that name.
    let three = with(train(temp.path()), &["network.readout.size=3"]);
    refused(temp.path(), three, &["the data have 2 classes, the readout has 3 neurons"]);
    trained(temp.path()).is(&trained(movements(as_it_is).path()));
}

/// The same table with other labels.
fn relabelled(text: &str, label: impl Fn(&str) -> String) -> String {
    let line = |line: &str| {
        let (of, rest) = line.split_once(',').unwrap();
        let of = if of == "label" { of.to_owned() } else { label(of) };
        format!("{of},{rest}\n")
    };
    text.lines().map(line).collect()
}

#[test]
fn csv_label_float() {
    let floats = |text: &str| relabelled(text, |label| format!("{label}.0")).into_bytes();
    trained(labelled(floats).path()).is(&trained(labelled(as_it_is).path()));
}

#[test]
fn csv_no_header() {
    let words =
        |text: &str| relabelled(text, |label| if label == "0" { "run" } else { "walk" }.into());
    succeeds(train(labelled(|text| words(text).into_bytes()).path()));
    let temp = labelled(|text| words(text).split_once('\n').unwrap().1.into());
    let parts = [
        "0.csv, line 1",
        "the first line holds values, and no names of columns: ",
        "write a line such as label,x1,x2 above all others",
    ];
    refused(temp.path(), train(temp.path()), &parts);
}

#[test]
fn csv_savetxt() {
    let commented = |text: &str| format!("# {text}").into_bytes();
    trained(labelled(commented).path()).is(&trained(labelled(as_it_is).path()));
}

#[test]
fn csv_semicolon() {
    reads_as_plain(|text| text.replace(',', ";").into_bytes());
}

#[test]
fn csv_semicolon_decimal_comma() {
    reads_as_plain(|text| text.replace(',', ";").replace('.', ",").into_bytes());
}

#[test]
fn csv_trailing_comma() {
    reads_as_plain(|text| text.replace('\n', ",\n").into_bytes());
}

#[test]
fn csv_utf16() {
    reads_as_plain(|text| {
        let text = text.replace(',', "\t");
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect()
    });
}

#[test]
fn dead_network() {
    let temp = movements(as_it_is);
    let dead = outcome(temp.path(), with(train(temp.path()), &["network.layers.0.b0=50"]));
    let warning = "no neuron of hidden layer 1 spiked in the validation of epoch 1";
    dead.says(&["Lower network.layers.0.b0 (it is 50, by default 0.01), or scale the inputs up"]);
    assert_eq!(dead.said.matches(warning).count(), 1, "once a run: {}", dead.said);
    assert_eq!(dead.test["spike_rate"]["overall"], 0.0);
    assert!(!trained(movements(as_it_is).path()).said.contains("no neuron"));
}

#[test]
fn eval_other_class_names() {
    let temp = movements(as_it_is);
    let temp = temp.path();
    succeeds(train(temp));
    let other = temp.join("after/data");
    std::fs::create_dir_all(temp.join("after")).unwrap();
    std::fs::rename(temp.join("data"), &other).unwrap();
    for part in ["train", "test"] {
        for (old, new) in [("a", "sit"), ("b", "stand")] {
            std::fs::rename(other.join(part).join(old), other.join(part).join(new)).unwrap();
        }
    }
    let parts = ["sit", "the folder has the name of no class; expected one of a, b"];
    for command in ["eval", "energy", "sparsity", "report"] {
        refuses(at(temp, &[command, "m", "--data", "after"]), &parts);
    }
}

// Events.

pub const SECONDS: &str = "{ events = { channels = 2, step = 0.001 } }";

/// Recordings of events at whole milliseconds, of which `time` writes the time: class a on the first channel, b on the other.
pub fn events(form: &str, time: impl Fn(u32) -> String) -> tempfile::TempDir {
    let temp = with_task(form, "mean_membrane");
    for (part, count) in [("train", 8), ("test", 4)] {
        for (class, name) in ["a", "b"].iter().enumerate() {
            for i in 0..count {
                let mut text = "time,channel\n".to_owned();
                for k in (0..40).filter(|k| (k * (i + 3)) % 7 < 3) {
                    let channel = if k % 5 == 0 { 1 - class } else { class };
                    text += &format!("{},{channel}\n", time(k));
                }
                write(temp.path(), &format!("data/{part}/{name}/{i}.csv"), text);
            }
        }
    }
    temp
}

pub fn in_seconds(k: u32) -> String {
    format!("{:.3}", f64::from(k) * 0.001)
}

#[test]
fn events_none_in_one() {
    let temp = events(SECONDS, in_seconds);
    write(temp.path(), "data/train/a/0.csv", "time,channel\n");
    let found = trained(temp.path());
    found.says(&[
        "note: 1 recording without events is silence of 40 steps",
        "12 sequences to train on, 4 to validate, 8 to test",
    ]);
    assert_eq!(found.judged(), 8);
}

#[test]
fn events_on_the_grid() {
    let seconds = trained(events(SECONDS, in_seconds).path());
    let milliseconds = "{ events = { channels = 2, step = 1 } }";
    seconds.is(&trained(events(milliseconds, |k| k.to_string()).path()));
    // A step earlier, as times in single precision would fall.
    let early = |k: u32| if [5, 9, 10].contains(&k) { k - 1 } else { k }.to_string();
    let early = trained(events(milliseconds, early).path());
    assert_ne!(early.test["loss"], seconds.test["loss"]);
}

#[test]
fn events_unix_time() {
    let temp = events(SECONDS, |k| format!("{:.3}", 1_700_000_000.0 + f64::from(k) * 0.001));
    let parts = [
        "0.csv, line 2",
        "times count from the start of the recording: subtract that of the first event",
        "set origin = \"first_event\"",
    ];
    refused(temp.path(), train(temp.path()), &parts);
    // As it says; the first event of every recording is at 0.
    let first = with(train(temp.path()), &["dataset.form.events.origin=first_event"]);
    outcome(temp.path(), first).is(&trained(events(SECONDS, in_seconds).path()));
}

#[test]
fn events_us_with_step_in_s() {
    let temp = events(SECONDS, |k| (1000 * k).to_string());
    let parts =
        ["0.csv, line 3", "step is in the unit of the column time", "step = 1000", "unit = \"us\""];
    refused(temp.path(), train(temp.path()), &parts);
    let seconds = trained(events(SECONDS, in_seconds).path());
    let thousand = with(train(temp.path()), &["dataset.form.events.step=1000"]);
    outcome(temp.path(), thousand).is(&seconds);
    std::fs::remove_dir_all(temp.path().join("m")).unwrap();
    let unit = with(train(temp.path()), &["dataset.form.events.unit=us"]);
    outcome(temp.path(), unit).is(&seconds);
}

// Arrays.

/// An array as NumPy writes it.
pub fn npy(kind: &str, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let shape: String = shape.iter().map(|size| format!("{size},")).collect();
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
    header += &" ".repeat(64 - (header.len() + 11) % 64);
    header.push('\n');
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), bytes].concat()
}

pub fn integers(shape: &[usize], values: &[i64]) -> Vec<u8> {
    npy("<i8", shape, &values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>())
}

/// Arrays x and y as a file of `numpy.savez`.
pub fn npz(x: &[u8], y: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, array) in [("x.npy", x), ("y.npy", y)] {
        archive.start_file(name, stored).unwrap();
        archive.write_all(array).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// Sequences, steps and channels of the arrays.
const SHAPE: [usize; 3] = [8, 12, 2];

/// Movements as an array: of one class and the other by turns.
fn x(shape: [usize; 3]) -> Vec<u8> {
    let [samples, steps, channels] = shape;
    let mut bytes = Vec::new();
    for n in 0..samples {
        for t in 0..steps {
            for c in 0..channels {
                let value = (t as f32 * (0.3 + 0.7 * (n % 2) as f32) + (n + c) as f32).sin();
                bytes.extend(value.to_le_bytes());
            }
        }
    }
    npy("<f4", &shape, &bytes)
}

/// A class each, from `first` on.
fn classes(first: i64) -> Vec<u8> {
    integers(&SHAPE[..1], &[0, 1, 0, 1, 0, 1, 0, 1].map(|class| class + first))
}

/// A folder with the same arrays for both parts.
fn arrays(decode: &str, x: &[u8], y: &[u8]) -> tempfile::TempDir {
    let temp = with_task("\"arrays\"", decode);
    for part in ["train", "test"] {
        write(temp.path(), &format!("data/{part}.npz"), npz(x, y));
    }
    temp
}

#[test]
fn npz_label_minus_1() {
    let with_filled = |filled: i64| {
        let steps = 0..SHAPE[0] * SHAPE[1];
        let label = |i: usize| match i % SHAPE[1] {
            0..8 => (i / SHAPE[1] % 2) as i64,
            _ => filled,
        };
        let y = integers(&SHAPE[..2], &steps.map(label).collect::<Vec<_>>());
        trained(arrays("per_step", &x(SHAPE), &y).path())
    };
    let unknown = with_filled(-1);
    assert_eq!((unknown.judged(), with_filled(1).judged()), (8 * 8, 8 * 12));
    unknown.says(&["0 24, 1 24; 24 steps without a label"]);
}

#[test]
fn npz_labels_from_1() {
    let temp = arrays("mean_membrane", &x(SHAPE), &classes(1));
    let parts = [
        "the labels are 1 to 2, and nothing is of class 0",
        "take 1 from every label",
        "y = y - 1",
    ];
    refused(temp.path(), train(temp.path()), &parts);
    let three = with(train(temp.path()), &["network.readout.size=3"]);
    refused(temp.path(), three, &parts);
}

#[test]
fn npz_onehot() {
    let plain = trained(arrays("mean_membrane", &x(SHAPE), &classes(0)).path());
    let y = integers(&[8, 2], &[1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1]);
    let one_hot = trained(arrays("mean_membrane", &x(SHAPE), &y).path());
    one_hot.is(&plain);
    one_hot.says(&["note: y [8, 2] is one-hot: the place of the 1 is the class"]);
}

#[test]
fn npz_ragged_object() {
    // What follows the header is of Python alone.
    let x = npy("|O", &[8], b"\x80\x04N.");
    let temp = arrays("mean_membrane", &x, &classes(0));
    let parts = [
        "train.npz: task t: x [8] is an array of Python objects; expected an array of numbers",
        "sequences of different lengths? Fill them up, and keep their lengths",
        "np.savez(path, x=x, y=y, lengths=lengths)",
    ];
    refused(temp.path(), train(temp.path()), &parts);
}

#[test]
fn npz_x_nct() {
    let temp = arrays("mean_membrane", &x([8, 2, 20]), &classes(0));
    let parts = ["the data are [8, 2, 20]", "[N, T, C]", "write x.transpose(0, 2, 1)"];
    refused(temp.path(), train(temp.path()), &parts);
    // Few steps of many channels may be meant: said, and trained.
    let twenty = outcome(temp.path(), with(train(temp.path()), &["network.inputs=20"]));
    twenty.says(&[
        "note: x [8, 2, 20] is read as 8 sequences of 2 steps and 20 channels",
        "if it is [N, C, T], write x.transpose(0, 2, 1)",
    ]);
}

// Parameters of PyTorch, which `reference/pth_fixture.py` wrote.

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../barnowl/tests/fixtures")
}

/// The import of a network of two neurons.
fn import(folder: &Path, file: &str) -> Command {
    let mut command = at(folder, &["import", "--task", "ecg-paper", "--out", "m.safetensors"]);
    command.arg(fixtures().join(file));
    with(command, &["network.layers.0.size=2"])
}

/// The file is imported from the tensors under a name, and without some that are told.
#[track_caller]
fn imported(file: &str, under: &str, left_out: &str) {
    let temp = folder();
    let output = succeeds(import(temp.path(), file));
    let said = stderr(&output);
    assert!(said.contains(&format!("note: the tensors are those under {under}\n")), "{said}");
    let note = format!("note: left out, as no part of the network: {left_out}\n");
    assert!(said.contains(&note), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "10 tensors imported to m.safetensors\n");
    succeeds(at(temp.path(), &["info", "m.safetensors"]));
}

#[test]
fn pth_missing_key() {
    let temp = folder();
    let parts = ["missing_key.pth", "missing: tau_m_h [2], our layers.0.tau_m"];
    refused(temp.path(), import(temp.path(), "missing_key.pth"), &parts);
}

#[test]
fn pth_module_and_extra() {
    imported("module_and_extra.pth", "module", "criterion.weight");
}

#[test]
fn pth_torchscript() {
    let temp = folder();
    let parts = [
        "torchscript.pth: this is a TorchScript archive",
        "torch.save(torch.jit.load(f).state_dict(), \"m.pth\") and import m.pth",
    ];
    refused(temp.path(), import(temp.path(), "torchscript.pth"), &parts);
}

#[test]
fn pth_wrapper() {
    imported("wrapper.pth", "state_dict", "10 of optimizer");
}

// Data sets in their published folders.

/// The training of a built-in task on the data in `folder`.
fn on_data(folder: &Path, task: &str, settings: &[&str]) -> Command {
    let command =
        at(folder, &["train", task, "--data", ".", "--epochs", "1", "--out", "m", "--json"]);
    with(command, &[&["train.batch=2", "network.layers.*.size=8"], settings].concat())
}

/// A copy of a folder of fixtures, to be changed.
fn copy(name: &str) -> tempfile::TempDir {
    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let to = to.join(path.file_name().unwrap());
            match path.is_dir() {
                true => copy(&path, &to),
                false => std::fs::write(to, std::fs::read(&path).unwrap()).unwrap(),
            }
        }
    }
    let temp = folder();
    copy(&fixtures().join("data").join(name), &temp.path().join(name));
    temp
}

/// Four images a part, with `sign` between the words of the names of their files.
fn mnist(sign: char) -> Outcome {
    let temp = folder();
    let file = |magic: u32, sizes: &[u32], data: &[u8]| {
        let head: Vec<u8> =
            [&[magic], sizes].concat().into_iter().flat_map(u32::to_be_bytes).collect();
        [head, data.to_vec()].concat()
    };
    let images: Vec<u8> = (0..4 * 784).map(|i| (i * 31 % 251) as u8).collect();
    for part in ["train", "t10k"] {
        let images = file(0x803, &[4, 28, 28], &images);
        write(temp.path(), &format!("mnist/{part}-images{sign}idx3-ubyte"), images);
        let labels = file(0x801, &[4], &[0, 1, 2, 3]);
        write(temp.path(), &format!("mnist/{part}-labels{sign}idx1-ubyte"), labels);
    }
    outcome(temp.path(), on_data(temp.path(), "smnist", &["train.validation=0.25"]))
}

#[test]
fn mnist_dot_names() {
    let dots = mnist('.');
    dots.is(&mnist('-'));
    dots.says(&["MNIST, 4 training images"]);
}

/// A folder with a recording of spikes as both parts of the Spiking Heidelberg Digits (`reference/hdf5_fixture.py`).
fn digits(file: &str) -> tempfile::TempDir {
    let temp = folder();
    let bytes = std::fs::read(fixtures().join(file)).unwrap();
    for part in ["train", "test"] {
        write(temp.path(), &format!("shd/shd_{part}.h5"), &bytes);
    }
    temp
}

const DIGITS: [&str; 2] = ["network.readout.size=2", "train.validation=0.34"];

#[test]
fn shd_fixed_rows() {
    let temp = digits("shd_fixed.h5");
    let parts = [
        "shd_train.h5: spikes/times holds an array [3, 2] of 32-bit floats; expected rows of numbers, each of its own \
         length",
        "h5py.vlen_dtype(\"f4\")",
    ];
    refused(temp.path(), on_data(temp.path(), "shd", &DIGITS), &parts);
    let good = digits("shd_good.h5");
    succeeds(on_data(good.path(), "shd", &DIGITS));
}

#[test]
fn shd_times_in_us() {
    let temp = digits("shd_us.h5");
    let parts = [
        "spikes come after the last frame, which ends at 1 s; the last is at 900000; expected times in seconds",
        "they look like µs: divide them by 1e6 when you write spikes/times",
    ];
    refused(temp.path(), on_data(temp.path(), "shd", &DIGITS), &parts);
}

/// 16-bit mono, of which the chunk of samples is said to have `said` bytes.
fn wav(rate: u32, samples: &[i16], said: usize) -> Vec<u8> {
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + 2 * samples.len() as u32).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend([rate, 2 * rate].into_iter().flat_map(u32::to_le_bytes));
    wav.extend(b"\x02\0\x10\0data");
    wav.extend((said as u32).to_le_bytes());
    wav.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    wav
}

#[test]
fn timit_kaggle() {
    let run = |mirror: bool| {
        let temp = copy("timit");
        let mut beside = 0;
        for path in super::own::walk(temp.path()) {
            if mirror && path.extension().is_some_and(|end| end == "WAV") {
                std::fs::write(path.with_extension("WAV.wav"), wav(16_000, &[7; 400], 800))
                    .unwrap();
                beside += 1;
            }
        }
        assert_eq!(beside > 4, mirror);
        outcome(temp.path(), on_data(temp.path(), "timit", &[]))
    };
    run(true).is(&run(false));
}

#[test]
fn wav_size_too_large() {
    let form = "{ sound = { encoder = \"cochlea\", channels = 20 } }";
    let temp = with_task(form, "mean_membrane");
    let sound = |i: usize| -> Vec<i16> {
        (0..400).map(|t| ((t as f32 * 0.1 * (i + 1) as f32).sin() * 9000.0) as i16).collect()
    };
    for (part, count) in [("train", 4), ("test", 1)] {
        for (class, name) in ["a", "b"].iter().enumerate() {
            for i in 0..count {
                let file = format!("data/{part}/{name}/{i}.wav");
                write(temp.path(), &file, wav(8000, &sound(class + i), 800));
            }
        }
    }
    let train = || with(train(temp.path()), &["network.inputs=20"]);
    write(temp.path(), "data/train/a/0.wav", wav(8000, &sound(0), 1688));
    let parts = [
        "0.wav, byte 844: task t: 800 bytes of samples; expected 1688 as the chunk says",
        "the sound is likely whole and only this size wrong (a recorder that was switched off)",
        "ffmpeg -i IN.wav -c copy OUT.wav writes a right header",
    ];
    refused(temp.path(), train(), &parts);
    write(temp.path(), "data/train/a/0.wav", wav(8000, &sound(0), 800));
    succeeds(train());
}

/// What comes of recordings of the heart of which one file is changed.
fn hearts(file: &str, change: impl Fn(&mut Vec<u8>)) -> Outcome {
    let temp = copy("qtdb-raw");
    let path = temp.path().join("qtdb-raw").join(file);
    let mut bytes = std::fs::read(&path).unwrap();
    change(&mut bytes);
    std::fs::write(&path, bytes).unwrap();
    outcome(temp.path(), on_data(temp.path(), "ecg-raw", &["dataset.encoding.steps=100"]))
}

#[test]
fn wfdb_invalid_sample_16() {
    // sel104, which tests, is of format 16: samples of two leads by turns.
    let with_first = |value: Option<i16>| {
        hearts("sel104.dat", |bytes| {
            let second = [bytes[4], bytes[5]];
            bytes[..2].copy_from_slice(&value.map_or(second, i16::to_le_bytes));
        })
    };
    let (missing, smooth, low) =
        (with_first(Some(i16::MIN)), with_first(None), with_first(Some(i16::MIN + 1)));
    missing.says(&["note: 1 sample is marked as missing (sel104, lead 1: 1)"]);
    missing.is(&smooth);
    assert_ne!(low.test["loss"], smooth.test["loss"], "a first sample that low is felt for long");
}

#[test]
fn wfdb_latin1_comment() {
    let commented = hearts("sel101.hea", |bytes| bytes.extend(b"# M\xe9dicaments: aucun\n"));
    commented.is(&hearts("sel101.hea", |_| {}));
}
