//! Files of other programs: PyTorch and the official safetensors library wrote those in `tests/fixtures`
//! (`reference/pth_fixture.py`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use barnowl::error::ErrorKind;
use barnowl::exchange::{self, TensorMap, pytorch, safetensors};
use barnowl::import::{self, FitOptions};
use barnowl::task::TaskConfig;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Shapes and bits, so that NaN equals itself and 0 differs from −0.
fn bits(tensors: &TensorMap) -> BTreeMap<&str, (&[usize], Vec<u32>)> {
    let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect();
    tensors
        .iter()
        .map(|(name, tensor)| (name.as_str(), (tensor.shape.as_slice(), bits(&tensor.values))))
        .collect()
}

#[track_caller]
fn assert_same(found: &TensorMap, expected: &TensorMap) {
    assert!(!expected.is_empty());
    assert_eq!(bits(found), bits(expected));
}

fn state_dict() -> TensorMap {
    safetensors::read(fixture("state_dict.safetensors")).unwrap().tensors
}

#[test]
fn a_state_dict_is_read_in_both_formats() {
    let expected = state_dict();
    assert_eq!(expected["h2h.weight"].shape, [3, 3]);
    assert_eq!(expected["tau_m_h"].values, [0.0, 0.125, 0.25]);
    for name in ["state_dict.pth", "state_dict_legacy.pth"] {
        assert_same(&pytorch::read(fixture(name)).unwrap(), &expected);
    }
}

#[test]
fn the_format_is_found_from_the_contents() {
    let folder = tempfile::tempdir().unwrap();
    let disguised = folder.path().join("model.pth");
    fs::copy(fixture("state_dict.safetensors"), &disguised).unwrap();
    for path in [disguised.clone(), fixture("state_dict.pth"), fixture("state_dict.safetensors")] {
        assert_same(&exchange::read(path, None).unwrap(), &state_dict());
    }
    let zip = folder.path().join("model.safetensors");
    fs::copy(fixture("state_dict.pth"), &zip).unwrap();
    assert_same(&exchange::read(&zip, None).unwrap(), &state_dict());
    let error = pytorch::read(&disguised).unwrap_err().to_string();
    assert!(error.contains("this is a safetensors file"), "{error}");
    let error = exchange::read(&disguised, Some("model")).unwrap_err().to_string();
    assert!(error.contains("no tensors under the key `model`"), "{error}");
    assert!(error.contains("nearest") || error.contains("i2h (2)"), "{error}");
}

#[test]
fn a_nested_state_dict_is_found_by_its_key_and_without() {
    let path = fixture("nested.pth");
    assert_same(&exchange::read(&path, Some("model")).unwrap(), &state_dict());
    let flat = pytorch::read(&path).unwrap();
    assert_eq!(flat["model.i2h.weight"], state_dict()["i2h.weight"]);
    assert!(flat.contains_key("optimizer.state.0.momentum_buffer"));
    let renamed = exchange::rename("ecg-paper", flat, &[]).unwrap();
    assert_eq!(renamed.prefix, "model.");
    assert_eq!((renamed.tensors.len(), renamed.left_out.len()), (10, 10));
    assert_eq!(renamed.tensors["layers.0.tau_m"], state_dict()["tau_m_h"]);
    for (key, expected) in [("modle", "the nearest is --key model"), ("epoch", "model (10)")] {
        let error = exchange::read(&path, Some(key)).unwrap_err().to_string();
        assert!(error.contains("nested.pth"), "{error}");
        assert!(error.contains(expected), "{error} lacks: {expected}");
    }
}

/// The task of `state_dict.pth`'s network, in another size, and the cases' own.
fn ecg(size: usize) -> TaskConfig {
    TaskConfig::load("ecg-paper", &[format!("network.layers.0.size={size}")]).unwrap()
}

#[test]
fn a_checkpoint_with_an_optimizer_is_imported_from_its_state_dict() {
    let tensors = exchange::read(fixture("wrapper.pth"), None).unwrap();
    let fitted = import::fit(&ecg(2), tensors, FitOptions::default()).unwrap();
    assert_eq!(fitted.renamed.prefix, "state_dict.");
    assert_eq!(fitted.renamed.tensors.len(), 10);
    assert!(fitted.renamed.left_out.iter().all(|name| name.starts_with("optimizer.")));
}

#[test]
fn a_tensor_of_the_loss_is_left_out_and_named() {
    let tensors = exchange::read(fixture("module_and_extra.pth"), None).unwrap();
    let fitted = import::fit(&ecg(2), tensors, FitOptions::default()).unwrap();
    assert_eq!(fitted.renamed.prefix, "module.");
    assert_eq!(fitted.renamed.left_out, ["criterion.weight"]);
}

#[test]
fn a_missing_tensor_is_named_as_the_file_would() {
    let tensors = exchange::read(fixture("missing_key.pth"), None).unwrap();
    let error = import::fit(&ecg(2), tensors, FitOptions::default()).unwrap_err().to_string();
    assert!(error.contains("missing: tau_m_h [2], our layers.0.tau_m"), "{error}");
}

#[test]
fn a_torchscript_archive_is_named_and_its_parameters_are_one_line_away() {
    let error = exchange::read(fixture("torchscript.pth"), None).unwrap_err().to_string();
    for part in ["torchscript.pth", "TorchScript", "torch.save(torch.jit.load(f).state_dict(), "] {
        assert!(error.contains(part), "{error} lacks: {part}");
    }
}

#[test]
fn the_authors_names_become_ours() {
    for name in ["state_dict.pth", "state_dict_legacy.pth", "data_parallel.pth", "module.pth"] {
        let renamed =
            exchange::rename("ecg-paper", pytorch::read(fixture(name)).unwrap(), &[]).unwrap();
        assert!(renamed.ignored.is_empty());
        assert_eq!(renamed.tensors.len(), 10);
        assert_eq!(renamed.tensors["layers.0.recurrent.weight"], state_dict()["h2h.weight"]);
        assert_eq!(renamed.tensors["readout.tau_adp"], state_dict()["tau_adp_o"]);
    }
}

#[test]
fn every_element_type_is_read() {
    let expected = safetensors::read(fixture("types_f32.safetensors")).unwrap().tensors;
    assert_eq!(expected["transposed"].shape, [3, 2]);
    assert_eq!(expected["scalar"].values, [0.125]);
    assert_eq!(expected["i64"].values[0], -(2.0_f32.powi(40)));
    for name in ["types.pth", "types_legacy.pth", "types.safetensors"] {
        assert_same(&exchange::read(fixture(name), None).unwrap(), &expected);
    }
}

#[test]
fn a_module_saved_whole_is_its_state_dict_or_refused() {
    assert_same(&pytorch::read(fixture("module.pth")).unwrap(), &state_dict());
    let error = pytorch::read(fixture("module_legacy.pth")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Format);
    let error = error.to_string();
    assert!(error.contains("module_legacy.pth") && error.contains("a whole module"), "{error}");
    assert!(error.contains("torch.save(model.state_dict(), path)"), "{error}");
}

#[test]
fn what_is_no_state_dict_is_refused() {
    for (name, expected) in [
        ("not_a_dict.pth", "model.state_dict()"),
        ("no_tensors.pth", "there are no tensors"),
        ("too_precise.pth", "element 1 of tensor `count` is 16777217"),
        ("complex.pth", "a tensor has complex numbers"),
        ("expanded.pth", "the tensors claim 268435456 bytes"),
    ] {
        let error = pytorch::read(fixture(name)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Format);
        let error = error.to_string();
        assert!(error.contains(name) && error.contains(expected), "{error} lacks: {expected}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.pth");
    let mut tar = vec![0; 1024];
    tar[257..262].copy_from_slice(b"ustar");
    let pointer = b"version https://git-lfs.github.com/spec/v1".to_vec();
    for (bytes, expected) in
        [(tar, "TAR archive"), (pointer, "a pointer of Git LFS"), (vec![], "the file is empty")]
    {
        fs::write(&path, bytes).unwrap();
        let error = exchange::read(&path, None).unwrap_err().to_string();
        assert!(error.contains("file.pth") && error.contains(expected), "{error}");
    }
    let error = exchange::read(folder.path().join("absent.pth"), None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("there is no such file"), "{error}");
}

#[test]
fn a_file_cut_short_is_an_error_wherever_it_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["state_dict.pth", "state_dict_legacy.pth", "types.safetensors"] {
        let bytes = fs::read(fixture(name)).unwrap();
        let path = folder.path().join(name);
        for length in 0..bytes.len() {
            fs::write(&path, &bytes[..length]).unwrap();
            let error = exchange::read(&path, None).expect_err(&format!("{name} cut to {length}"));
            assert_eq!(error.kind(), ErrorKind::Format);
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}

#[test]
fn a_damaged_byte_never_makes_it_panic() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["state_dict.pth", "state_dict_legacy.pth", "module.pth", "types.safetensors"] {
        let mut bytes = fs::read(fixture(name)).unwrap();
        let path = folder.path().join(name);
        for (offset, damage) in (0..bytes.len()).zip([0x01, 0x80, 0xff].into_iter().cycle()) {
            bytes[offset] ^= damage;
            fs::write(&path, &bytes).unwrap();
            if let Err(error) = exchange::read(&path, None) {
                assert!(error.to_string().contains(name), "{error}");
            }
            bytes[offset] ^= damage;
        }
    }
}

#[test]
fn metadata_comes_from_and_goes_to_a_file() {
    let contents = safetensors::read(fixture("state_dict.safetensors")).unwrap();
    assert_eq!(contents.metadata["format"], "pt");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    safetensors::write(&path, &contents.tensors, &contents.metadata).unwrap();
    assert_eq!(safetensors::read(&path).unwrap(), contents);
    assert_eq!(fs::read(&path).unwrap(), fs::read(fixture("state_dict.safetensors")).unwrap());
}
