//! Numbers in arrays.

use super::super::NoLabel;
use super::*;

/// An array as NumPy writes it.
fn npy(kind: &str, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let shape: Vec<String> = shape.iter().map(|n| format!("{n},")).collect();
    let mut header =
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({}), }}", shape.concat());
    header += &" ".repeat(64 - (11 + header.len()) % 64);
    header.push('\n');
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), bytes].concat()
}

fn floats(shape: &[usize], values: &[f32]) -> Vec<u8> {
    assert_eq!(values.len(), shape.iter().product::<usize>());
    npy("<f4", shape, &values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
}

/// As many numbers as the shape says: 0.5, 1.5 and so on.
fn some(shape: &[usize]) -> Vec<u8> {
    let values: Vec<f32> = (0..shape.iter().product()).map(|n| n as f32 + 0.5).collect();
    floats(shape, &values)
}

/// Words of up to eight letters.
fn words(words: &[&str]) -> Vec<u8> {
    let letters = |word: &&str| -> Vec<u8> {
        let mut codes: Vec<u32> = word.chars().map(u32::from).collect();
        codes.resize(8, 0);
        codes.into_iter().flat_map(u32::to_le_bytes).collect()
    };
    npy("<U8", &[words.len()], &words.iter().flat_map(letters).collect::<Vec<u8>>())
}

/// A training part of x of a shape, y, and others.
fn part(x: &[usize], y: Vec<u8>, more: &[(&str, Vec<u8>)]) -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    add(&temp, "train", x, y, more);
    temp
}

fn add(temp: &TempDir, part: &str, x: &[usize], y: Vec<u8>, more: &[(&str, Vec<u8>)]) {
    write(temp, &format!("{part}/x.npy"), some(x));
    write(temp, &format!("{part}/y.npy"), y);
    for (name, bytes) in more {
        write(temp, &format!("{part}/{name}.npy"), bytes);
    }
}

const ARRAYS: Form = Form::Arrays;

#[test]
fn every_layout_has_its_meaning() {
    for (y, expected, names) in [
        (&[2][..], per_sequence("0.5 1.5"), &["target"][..]),
        (&[2, 1], per_sequence("0.5 1.5"), &["target"]),
        (&[2, 2], per_sequence("0.5 1.5 2.5 3.5"), &["0", "1"]),
        (&[2, 3], per_step("0.5 1.5 2.5 3.5 4.5 5.5"), &["target"]),
        (&[2, 3, 1], per_step("0.5 1.5 2.5 3.5 4.5 5.5"), &["target"]),
        (&[2, 3, 2], per_step("0.5 1.5 2.5 3.5 4.5 5.5 6.5 7.5 8.5 9.5 10.5 11.5"), &["0", "1"]),
    ] {
        let data = train(&part(&[2, 3, 1], some(y), &[]), &values(ARRAYS));
        assert_eq!(found(&data), expected, "{y:?}");
        assert_eq!(data.class_names(), names, "{y:?}");
        assert_eq!([data.samples(), data.steps(), data.channels()], [2, 3, 1]);
    }
    // Numbers that look like classes, one-hot or not, are numbers.
    let whole = |shape: &[usize], bytes: &[u8]| npy("|i1", shape, bytes);
    let data = train(&part(&[2, 3, 1], whole(&[2], &[1, 255]), &[]), &values(ARRAYS));
    assert_eq!(found(&data), per_sequence("1 -1"), "−1 is a number");
    let data = train(&part(&[2, 3, 1], whole(&[2, 2], &[0, 1, 1, 0]), &[]), &values(ARRAYS));
    assert_eq!(found(&data), per_sequence("0 1 1 0"));
    let double: Vec<u8> = [1e-3, 2.5].iter().flat_map(|x: &f64| x.to_le_bytes()).collect();
    let data = train(&part(&[2, 3, 1], npy("<f8", &[2], &double), &[]), &values(ARRAYS));
    assert_eq!(found(&data), per_sequence("0.001 2.5"));
}

#[test]
fn two_dimensions_are_steps_unless_names_say_otherwise() {
    let square = || some(&[2, 3]);
    let data = train(&part(&[2, 3, 1], square(), &[]), &values(ARRAYS));
    assert!(data.targets().is_per_step());
    assert!(noted(&data, &["y [2, 3] is read as a number a step", "target_names"]));
    // Three names: three numbers a sequence; one: a number a step. Either way nothing is left to say.
    for (config, more, per_step) in [
        (values(ARRAYS), vec![("target_names", words(&["a", "b", "c"]))], false),
        (values(ARRAYS), vec![("class_names", words(&["a", "b", "c"]))], false),
        (columns(ARRAYS, &["a", "b", "c"]), vec![], false),
        (values(ARRAYS), vec![("target_names", words(&["a"]))], true),
        (columns(ARRAYS, &["a"]), vec![], true),
    ] {
        let data = train(&part(&[2, 3, 1], square(), &more), &config);
        assert_eq!(data.targets().is_per_step(), per_step);
        assert_eq!(data.class_names(), if per_step { &["a"][..] } else { &["a", "b", "c"] });
        assert!(!noted(&data, &["is read as"]), "{:?}", data.notes());
        // As x has the same values here, a number a step is the channel.
        assert_eq!(noted(&data, &["a is to be found", "the channel 0 at every step"]), per_step);
    }
    let data = train(&part(&[2, 3, 1], some(&[2, 5]), &[]), &values(ARRAYS));
    assert!(noted(&data, &["y [2, 5] is read as 5 numbers a sequence", "[2, 3]"]));
    let data = train(&part(&[2, 3, 1], some(&[2, 3, 3]), &[]), &values(ARRAYS));
    assert!(noted(&data, &["3 numbers at each of 3 steps", "y.transpose(0, 2, 1)"]));
    let data = train(&part(&[2, 1, 1], some(&[2, 1]), &[]), &values(ARRAYS));
    assert!(noted(&data, &["y [2, 1] is read as a number a sequence", "y[:, :, None]"]));
    assert_eq!(found(&data), per_sequence("0.5 1.5"));
    // As many names as y has no numbers.
    for (y, names, parts) in [
        (&[2, 3][..], &["a", "b"][..], ["y [2, 3] holds 3 a sequence", "names: a, b"]),
        (&[2], &["a", "b"], ["y [2] holds 1 a sequence", "names: a, b"]),
        (&[2, 3, 2], &["a"], ["y [2, 3, 2] holds 2 a step", "names: a"]),
        (&[2, 4], &["a"], ["y [2, 4] holds 4 a sequence", "names: a"]),
    ] {
        let temp = part(&[2, 3, 1], some(y), &[]);
        refused(read(&temp, Split::Train, &columns(ARRAYS, names)), &parts);
        let temp = part(&[2, 3, 1], some(y), &[("target_names", words(names))]);
        refused(read(&temp, Split::Train, &values(ARRAYS)), &parts);
    }
}

#[test]
fn axes_in_another_order_are_noticed() {
    let x = "x.transpose(0, 2, 1)";
    for (shape, y, parts) in [
        // x is [N, C, T] of 3 channels and 9 steps.
        (&[2, 3, 9][..], &[2, 9][..], &["y [2, 9]", "as many columns as x has channels", x][..]),
        (&[2, 3, 9], &[2, 9, 2], &["y [2, 9, 2]", x]),
        // y is [N, K, T].
        (&[2, 9, 3], &[2, 2, 9], &["y [2, 2, 9]", "y.transpose(0, 2, 1)"]),
        (&[2, 9, 3], &[2, 1, 4], &["y [2, 1, 4]", "y[:, 0]"]),
        (&[2, 9, 3], &[3], &["x is [2, 9, 3] and y [3]", "y [2] or [2, K]", "[2, 9, K]"]),
        (&[2, 9, 3], &[3, 9], &["y [3, 9]", "[2, 9]"]),
        (&[2, 9, 3], &[2, 8, 2], &["y [2, 8, 2]", "[2, 9, K]"]),
        (&[2, 9, 3], &[2, 9, 3, 1], &["y [2, 9, 3, 1]"]),
        (&[2, 9, 3], &[], &["y []"]),
        (&[2, 9, 3], &[2, 0], &["y [2, 0]"]),
        (&[2, 9, 3], &[2, 9, 0], &["y [2, 9, 0]"]),
        (&[1, 9, 3], &[9], &["y [9]", "y[None]"]),
        (&[1, 9, 3], &[9, 2], &["y [9, 2]", "y[None]"]),
    ] {
        let temp = part(shape, some(y), &[]);
        let result = read(&temp, Split::Train, &values(ARRAYS));
        refused(result, &[parts, &["train"][..]].concat());
    }
    // With names, as many numbers as channels are numbers.
    let data =
        train(&part(&[2, 3, 4], some(&[2, 4]), &[]), &columns(ARRAYS, &["a", "b", "c", "d"]));
    assert_eq!(found(&data), per_sequence("0.5 1.5 2.5 3.5 4.5 5.5 6.5 7.5"));
    let data = train(&part(&[2, 9, 3], some(&[2, 3]), &[]), &values(ARRAYS));
    assert!(noted(&data, &["read as 3 numbers a sequence"]));
    // Both may be [N, C, T]: that is said of both.
    let data = train(&part(&[2, 3, 9], some(&[2, 3, 9]), &[]), &values(ARRAYS));
    assert!(noted(&data, &["x [2, 3, 9]", x]) && noted(&data, &["y.transpose(0, 2, 1) too"]));
}

#[test]
fn what_is_not_known_or_not_there_is_nan() {
    let nan = f32::NAN;
    let lengths = || ("lengths", npy("|u1", &[3], &[3, 1, 2]));
    let y = floats(&[3, 3], &[1.0, nan, 3.0, 4.0, f32::INFINITY, 6.0, -1.0, 99.5, 9.0]);
    let temp = part(&[3, 3, 2], y, &[lengths()]);
    let no_label = Some(NoLabel::Number(99.5));
    let data = train(&temp, &OwnConfig { no_label, ..values(ARRAYS) });
    // After the end of a sequence nothing counts, whatever it is.
    assert_eq!(found(&data), per_step("1 NaN 3 4 NaN NaN -1 NaN NaN"));
    assert_eq!(data.lengths(), Some(&[3, 1, 2][..]));
    assert!(noted(&data, &["2 of 6 numbers to be found are not known"]), "{:?}", data.notes());
    let data = train(&temp, &values(ARRAYS));
    assert_eq!(found(&data), per_step("1 NaN 3 4 NaN NaN -1 99.5 NaN"));
    // Of one a sequence, lengths change nothing; a single number is stored to fewer digits than it is written.
    let temp = part(&[3, 3, 2], floats(&[3, 1], &[1.0, 99.9, 3.0]), &[lengths()]);
    let no_label = Some(NoLabel::Number(99.9));
    let data = train(&temp, &OwnConfig { no_label, ..values(ARRAYS) });
    assert_eq!(found(&data), per_sequence("1 3"));
    assert_eq!(data.lengths(), Some(&[3, 2][..]));
    assert!(noted(&data, &["1 sequence has no number that is known and is left out"]));
    assert_eq!([data.sequence_name(0), data.sequence_name(1)], ["0", "2"]);
    // NaN at the end of x ends a sequence, and its targets with it.
    let temp = part(&[2, 3, 1], some(&[2, 3]), &[]);
    write(&temp, "train/x.npy", floats(&[2, 3, 1], &[1.0, 2.0, nan, 4.0, 5.0, 6.0]));
    assert_eq!(found(&train(&temp, &values(ARRAYS))), per_step("0.5 1.5 NaN 3.5 4.5 5.5"));
    // Cut, and filled up.
    let steps = |steps| OwnConfig { steps, ..values(ARRAYS) };
    let temp = part(&[2, 3, 1], floats(&[2, 3], &[1.0, 2.0, 3.0, nan, nan, 6.0]), &[]);
    assert_eq!(found(&train(&temp, &steps(Some(4)))), per_step("1 2 3 NaN NaN NaN 6 NaN"));
    let cut = train(&temp, &steps(Some(2)));
    assert_eq!(
        (found(&cut), cut.samples()),
        (per_step("1 2"), 1),
        "nothing known is left of the other"
    );
    let temp = part(&[2, 3, 1], floats(&[2], &[nan, nan]), &[]);
    refused(read(&temp, Split::Train, &values(ARRAYS)), &["train", "no number", "is known"]);
}

#[test]
fn what_is_no_number_is_refused_with_its_place() {
    let infinity = f32::INFINITY;
    let huge: Vec<u8> = [1.0, -1e300].iter().flat_map(|x: &f64| x.to_le_bytes()).collect();
    for (y, parts) in [
        (floats(&[2], &[1.0, infinity]), &["target of sequence 1 is inf", "NaN where"][..]),
        (
            floats(&[2, 3, 2], &[&[0.0; 9][..], &[-infinity, 0.0, 0.0]].concat()),
            &["1 of sequence 1, step 1 is -inf"],
        ),
        (npy("<f8", &[2], &huge), &["target of sequence 1 is -1000", "below 3e38"]),
        (words(&["1.5", "2"]), &["y holds words", "y.astype", "leave dataset.targets out"]),
        (npy("<c8", &[2], &[0; 16]), &["elements of y", ".astype(\"float32\")"]),
    ] {
        let temp = part(&[2, 3, 1], y, &[]);
        refused(read(&temp, Split::Train, &values(ARRAYS)), &[parts, &["train"][..]].concat());
    }
    let temp = part(&[2, 3, 1], some(&[2]), &[]);
    std::fs::remove_file(temp.path().join("train/y.npy")).unwrap();
    let parts = ["there is no array y, but x", "numbers a sequence", "[N, T, K], numbers a step"];
    refused(read(&temp, Split::Train, &values(ARRAYS)), &parts);
    let names = |names: &[&str]| part(&[2, 3, 1], some(&[2, 2]), &[("target_names", words(names))]);
    for (temp, parts) in [
        (names(&["a", "a"]), &["two numbers to be found are called a"][..]),
        (names(&["a", ""]), &["the name of a number to be found is empty"]),
        (
            part(&[2, 3, 1], some(&[2, 2]), &[("target_names", npy("|u1", &[1, 2], &[1, 2]))]),
            &["names of the numbers to be found are [1, 2]"],
        ),
    ] {
        refused(read(&temp, Split::Train, &values(ARRAYS)), &[parts, &["train"][..]].concat());
    }
}

#[test]
fn all_parts_have_the_same_numbers() {
    let temp = part(&[2, 3, 1], some(&[2, 2]), &[("target_names", words(&["a", "b"]))]);
    let names = owned(&["a", "b"]);
    let known = Known { classes: &names, ..Known::default() };
    let test = |y: &[usize], more: &[(&str, Vec<u8>)]| {
        let _ = std::fs::remove_dir_all(temp.path().join("test"));
        add(&temp, "test", &[1, 4, 1], some(y), more);
        // By the training part itself, or by what a model knows of it.
        let read = |known| read_as(&temp, Split::Test, &values(ARRAYS), known);
        let (by_part, by_model) = (read(Known::default()), read(known));
        assert_eq!(by_part.is_ok(), by_model.is_ok());
        by_model
    };
    let data = test(&[1, 2], &[("target_names", words(&["b", "a"]))]).unwrap();
    assert_eq!((found(&data), data.class_names()), (per_sequence("1.5 0.5"), &names[..]));
    assert!(noted(&data, &["put into the order a, b"]));
    let data = test(&[1, 2], &[]).unwrap();
    assert_eq!(found(&data), per_sequence("0.5 1.5"));
    assert!(noted(&data, &["no names", "order of the training data, a, b"]));
    let others = [("target_names", words(&["a", "c"]))];
    refused(test(&[1, 2], &others), &["test", "are a, c", "a, b, as in the training data"]);
    refused(test(&[1, 3], &[]), &["test", "y [1, 3] holds 3 a sequence", "a, b"]);
    refused(test(&[1], &[]), &["y [1] holds 1 a sequence", "a, b"]);
    refused(test(&[1, 4], &[]), &["y [1, 4] holds 4 a sequence"]);
    // One a step is not one a sequence.
    let temp = part(&[2, 3, 1], some(&[2]), &[]);
    add(&temp, "test", &[1, 4, 1], some(&[1, 4]), &[]);
    let parts = ["test", "numbers at every step", "numbers a sequence, as in the training data"];
    refused(read(&temp, Split::Test, &values(ARRAYS)), &parts);
    // Names that nobody has given are no others.
    add(&temp, "test", &[1, 4, 1], some(&[1]), &[]);
    assert_eq!(read(&temp, Split::Test, &values(ARRAYS)).unwrap().class_names(), ["target"]);
    assert!(load(temp.path(), Split::Valid, &values(ARRAYS), Known::default()).unwrap().is_none());
    // What the task calls them, the data may call so too, in another order.
    let temp = part(&[2, 3, 1], some(&[2, 2]), &[("target_names", words(&["b", "a"]))]);
    let data = train(&temp, &columns(ARRAYS, &["a", "b"]));
    assert_eq!(found(&data), per_sequence("1.5 0.5 3.5 2.5"));
    let parts = ["are b, a", "a, c, as dataset.targets says"];
    refused(read(&temp, Split::Train, &columns(ARRAYS, &["a", "c"])), &parts);
}

#[test]
fn groups_and_channels_go_with_the_sequences() {
    let y = floats(&[3], &[1.0, f32::NAN, 3.0]);
    let more = [("groups", words(&["eve", "eve", "adam"])), ("channel_names", words(&["x", "y"]))];
    let data = train(&part(&[3, 2, 2], y, &more), &values(ARRAYS));
    assert_eq!(
        (data.group_names(), data.groups()),
        (&owned(&["adam", "eve"])[..], Some(&[1, 0][..]))
    );
    assert_eq!(data.channel_names(), ["x", "y"]);
    assert_eq!(real(&data), [0.5, 1.5, 2.5, 3.5, 8.5, 9.5, 10.5, 11.5]);
    // The same data mean classes where nobody says that they are numbers.
    let temp = part(&[2, 3, 1], npy("|u1", &[2], &[0, 1]), &[("target_names", vec![1, 2, 3])]);
    let data = train(&temp, &OwnConfig::new("x", ARRAYS));
    assert_eq!(data.targets(), &Targets::PerSequence(vec![0, 1]));
}

#[test]
fn files_to_answer_have_no_numbers() {
    let names = owned(&["a", "b"]);
    let known = Known { classes: &names, width: Some(2), ..Known::default() };
    let temp = folder(&[("x.npy", some(&[2, 3, 2])), ("y.npy", some(&[2]))]);
    let config = values(ARRAYS);
    let data = unlabelled(&temp, "x.npy", &config, known, false).unwrap();
    assert_eq!(found(&data), per_sequence("NaN NaN NaN NaN"));
    assert_eq!(data.class_names(), names);
    let data = unlabelled(&temp, "x.npy", &config, known, true).unwrap();
    assert_eq!(found(&data).1.split(' ').count(), 12);
    assert!(data.targets().is_per_step());
    // Of a model that does not know their names.
    let known = Known { width: Some(2), ..Known::default() };
    let data = unlabelled(&temp, "x.npy", &config, known, false).unwrap();
    assert_eq!(data.class_names(), ["target"]);
    let config = columns(ARRAYS, &["b", "c"]);
    let data = unlabelled(&temp, "x.npy", &config, known, false).unwrap();
    assert_eq!(data.class_names(), ["b", "c"]);
}

#[test]
fn damage_is_no_panic() {
    let names = || ("target_names", words(&["a", "b"]));
    let temp =
        part(&[2, 2, 1], some(&[2, 2, 2]), &[names(), ("lengths", npy("|u1", &[2], &[2, 1]))]);
    for name in ["y", "target_names", "lengths"] {
        damage(&temp, &format!("train/{name}.npy"), &values(ARRAYS));
    }
    assert!(train(&temp, &values(ARRAYS)).targets().is_per_step());
}
