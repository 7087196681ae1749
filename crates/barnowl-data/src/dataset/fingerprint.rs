//! A fingerprint of a data set: another one for every other value, label, length, order or name.

use super::{Dataset, Inputs, Targets};
use barnowl_base::file::hex;
use sha2::{Digest, Sha256};

impl Dataset {
    /// A fingerprint of the sequences, their labels, lengths and classes, as 16 digits of hexadecimal. Padding, names of files
    /// and the folder are not in it: the same data in another place, filled up to another length, have the same one.
    ///
    /// It is that of the values before [normalization](Dataset::normalized), so take it before.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        let number = |hash: &mut Sha256, n: usize| hash.update((n as u64).to_le_bytes());
        number(&mut hash, self.samples);
        number(&mut hash, self.channels);
        for name in self.class_names.iter().chain(self.channel_names()) {
            number(&mut hash, name.len());
            hash.update(name);
        }
        let mut row = vec![0.0; self.channels];
        let mut bytes = Vec::new();
        for sample in 0..self.samples {
            let length = self.length(sample);
            number(&mut hash, length);
            bytes.clear();
            for step in sample * self.steps..sample * self.steps + length {
                match &self.inputs {
                    Inputs::Events(events) => {
                        let row = events.row(step);
                        bytes.extend((row.len() as u32).to_le_bytes());
                        bytes.extend(row.iter().flat_map(|event| event.to_le_bytes()));
                    }
                    _ => {
                        self.read(step, &mut row);
                        bytes.extend(row.iter().flat_map(|value| value.to_le_bytes()));
                    }
                }
                if bytes.len() > 1 << 16 {
                    hash.update(&bytes);
                    bytes.clear();
                }
            }
            let count = self.class_names.len();
            let of_classes = |classes: &[u16]| -> Vec<u8> {
                classes.iter().flat_map(|class| class.to_le_bytes()).collect()
            };
            let of_values = |values: &[f32]| -> Vec<u8> {
                values.iter().flat_map(|value| value.to_le_bytes()).collect()
            };
            bytes.extend(match &self.targets {
                Targets::PerStep(classes) => of_classes(&classes[sample * self.steps..][..length]),
                Targets::PerSequence(classes) => of_classes(&classes[sample..=sample]),
                Targets::ValuesPerStep(values) => {
                    of_values(&values[sample * self.steps * count..][..length * count])
                }
                Targets::ValuesPerSequence(values) => of_values(&values[sample * count..][..count]),
            });
            hash.update(&bytes);
        }
        hex(&hash.finalize()[..8])
    }
}

#[cfg(test)]
mod tests {
    use super::super::data::tests::small;
    use super::*;

    #[test]
    fn padding_is_not_in_it_and_all_else_is() {
        let (names, channels) = (vec!["a".to_owned(), "b".to_owned()], 2);
        let make = |steps: usize, fill: f32, values: [f32; 4], classes: Vec<u16>, second: usize| {
            let mut padded = vec![fill; 2 * steps * channels];
            padded[..4].copy_from_slice(&values);
            padded[steps * channels..steps * channels + 4].copy_from_slice(&[9.0; 4]);
            let inputs = Inputs::Real(padded);
            let data = Dataset::new(
                [2, steps, channels],
                names.clone(),
                inputs,
                Targets::PerSequence(classes),
                "here",
            );
            data.unwrap().with_lengths(&[2, second]).unwrap().fingerprint()
        };
        let values = [1.0, 2.0, 3.0, 4.0];
        let first = make(3, 0.0, values, vec![0, 1], 2);
        assert_eq!(first, make(5, 7.0, values, vec![0, 1], 2));
        for other in [
            make(3, 0.0, [1.0, 2.0, 4.0, 3.0], vec![0, 1], 2),
            make(3, 0.0, values, vec![1, 0], 2),
            make(3, 0.0, values, vec![0, 1], 1),
            small().fingerprint(),
        ] {
            assert_ne!(first, other);
        }
        let data = small();
        assert_ne!(data.fingerprint(), data.subset(&[1, 0, 2, 3]).unwrap().fingerprint());
        let named = |a: &str, b: &str| {
            small().with_channel_names(vec![a.into(), b.into()]).unwrap().fingerprint()
        };
        assert_ne!(named("x", "y"), named("y", "x"));
    }
}
