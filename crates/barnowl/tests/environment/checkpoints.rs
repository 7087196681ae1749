//! The authors' published checkpoints.

use barnowl::exchange;
use std::path::PathBuf;

pub fn are_read(folder: PathBuf) {
    let read = |name: &str| exchange::read(folder.join(name), None).unwrap();
    // NaN is in none of them.
    assert_eq!(read("ecg.pth"), read("ecg.safetensors"));
    for (task, count, ignored) in [
        ("ecg-paper", 10, &[][..]),
        ("shd", 15, &["tau_adp_o"]),
        ("ssc", 15, &["tau_adp_o"]),
        ("smnist", 20, &[]),
        ("psmnist", 20, &[]),
        ("timit", 15, &[]),
    ] {
        let theirs = read(&format!("{}.safetensors", task.trim_end_matches("-paper")));
        let renamed = exchange::rename(task, theirs, &[]).unwrap();
        assert_eq!(renamed.tensors.len(), count, "{task}");
        assert_eq!(renamed.ignored, ignored, "{task}");
        // A layer's recurrent weight is square, and as wide as the layer's input weight is high.
        for (name, tensor) in &renamed.tensors {
            if let Some(layer) = name.strip_suffix(".recurrent.weight") {
                let size = renamed.tensors[&format!("{layer}.input.weight")].shape[0];
                assert_eq!(tensor.shape, [size, size], "{task} {name}");
                assert_eq!(renamed.tensors[&format!("{layer}.tau_m")].shape, [size]);
            }
        }
    }
}
