//! Published data, in the files that they are published in.

use barnowl::dataset::audio::Sound;
use barnowl::dataset::hdf5::File;
use barnowl::dataset::heidelberg::{self, Frames};
use barnowl::dataset::{Inputs, Split, Targets, qtdb};
use barnowl::encoder::{Cochlea, CochleaConfig};
use std::path::PathBuf;

/// Counted with scipy in the published files.
pub fn qt_database(folder: PathBuf) {
    for (split, samples, counts) in [
        (Split::Train, 618, [166_315, 49_485, 46_503, 35_776, 242_792, 263_147]),
        (Split::Test, 141, [43_209, 10_145, 9_840, 9_065, 55_885, 55_297]),
    ] {
        let data = qtdb::load(&folder, split).unwrap();
        assert_eq!([data.samples(), data.steps(), data.channels()], [samples, 1301, 4]);
        let Targets::PerStep(classes) = data.targets() else { panic!("one class a sequence") };
        let count = |class| classes.iter().filter(|c| **c == class).count();
        assert_eq!([0, 1, 2, 3, 4, 5].map(count), counts);
        // The delay of the labels, filled with P.
        let filled = |window: &[u16]| window[..19].iter().all(|class| *class == 0);
        assert!(classes.chunks_exact(1301).all(filled));
    }
}

/// The spikes of the Free Spoken Digit Dataset, in the layout of the Spiking Heidelberg Digits.
pub fn spoken_digits(folder: PathBuf) {
    let path = folder.join("fsdd-spikes/train.h5");
    let data = heidelberg::load(path, Frames::default()).unwrap();
    assert_eq!([data.steps(), data.channels(), data.class_names().len()], [250, 700, 10]);
    let Inputs::Events(events) = data.inputs() else { panic!("no events") };
    assert!(data.samples() >= 1000 && events.len() > 100 * data.samples());
}

/// Of twenty recordings of a digit by one speaker, the one whose published spikes come first in `fsdd-spikes` is the one whose
/// spikes, encoded here, are most like them; and there are about as many.
pub fn recognised_spikes(folder: PathBuf) {
    // Spikes in frames of 5 ms and groups of 20 channels.
    const GROUPS: usize = 35;
    const FRAMES: usize = 100;
    let binned = |spikes: &mut dyn Iterator<Item = (f64, usize)>| {
        let mut bins = vec![0.0; GROUPS * FRAMES];
        for (time, unit) in spikes {
            let frame = (time / 0.005) as usize;
            if frame < FRAMES {
                bins[unit / 20 * FRAMES + frame] += 1.0;
            }
        }
        bins
    };
    let file = File::open(folder.join("fsdd-spikes/train.h5")).unwrap();
    let (times, units) = (file.rows("spikes/times").unwrap(), file.rows("spikes/units").unwrap());
    let (times, units) = (times.row(0).unwrap(), units.row(0).unwrap());
    let published = binned(&mut times.iter().copied().zip(units.iter().map(|unit| *unit as usize)));
    // These recordings were encoded at 16 kHz, and the velocity has half the rate of the sound there.
    let config = CochleaConfig { velocity_rate: 8000, ..CochleaConfig::default() };
    let cochlea = Cochlea::new(&config, 8000).unwrap();
    let likeness = |index: usize| {
        let sound =
            Sound::read(folder.join(format!("fsdd/recordings/7_nicolas_{index}.wav"))).unwrap();
        let spikes = cochlea.encode(&sound.samples, 1);
        let found = binned(&mut spikes.iter().map(|spike| (spike.time, usize::from(spike.unit))));
        (correlation(&found, &published), spikes.len())
    };
    let all: Vec<(f64, usize)> = (0..20).map(likeness).collect();
    let best = (0..20).max_by(|a, b| all[*a].0.total_cmp(&all[*b].0)).unwrap();
    assert_eq!(best, 9, "{all:?}");
    assert!(all[9].0 > 0.85, "{all:?}");
    let ratio = all[9].1 as f64 / times.len() as f64;
    assert!((0.85..1.15).contains(&ratio), "{} spikes, published {}", all[9].1, times.len());
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let covariance = |x: &[f64], mx: f64, y: &[f64], my: f64| {
        x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>()
    };
    covariance(a, ma, b, mb) / (covariance(a, ma, a, ma) * covariance(b, mb, b, mb)).sqrt()
}
