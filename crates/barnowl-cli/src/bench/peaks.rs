//! What the machine can do: the measures that a training step is held against.

use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;
use serde::Serialize;
use std::hint::black_box;
use std::time::Instant;

/// Rows and columns of the matrices that are multiplied.
const SIDE: usize = 1024;
/// Numbers in each array of the triad: 64 MB, more than caches hold.
const LENGTH: usize = 16 << 20;
/// Numbers of the triad that a thread takes at a time.
const SPAN: usize = 1 << 16;
/// How often each is measured; the best one counts.
const REPEATS: usize = 10;

/// The best that was measured on the threads of the process.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Peaks {
    /// Of Burn's product of two dense matrices of 1024 × 1024, in 10⁹ operations a second.
    pub sgemm_gflops: f64,
    /// Of reading two arrays and writing a third, in 10⁹ bytes a second.
    pub memory_gigabytes_per_second: f64,
}

impl Peaks {
    pub fn measure() -> Self {
        Self { sgemm_gflops: sgemm() / 1e9, memory_gigabytes_per_second: triad() / 1e9 }
    }
}

/// Operations a second of a matrix product, an addition and a multiplication apart.
fn sgemm() -> f64 {
    let device = Device::flex();
    let matrix = |step: usize| {
        let values: Vec<f32> = (0..SIDE * SIDE).map(|i| (i * step % 97) as f32 / 97.0).collect();
        Tensor::<2>::from_data(TensorData::new(values, [SIDE, SIDE]), &device)
    };
    let (a, b) = (matrix(31), matrix(57));
    let seconds = best(|| {
        black_box(a.clone().matmul(b.clone()));
    });
    2.0 * (SIDE * SIDE * SIDE) as f64 / seconds
}

/// Bytes a second of `a = b + s c`, counted as they stand there: two arrays read, one written.
fn triad() -> f64 {
    let mut a = vec![0.0_f32; LENGTH];
    let (b, c) = (vec![1.0_f32; LENGTH], vec![2.0_f32; LENGTH]);
    let seconds = best(|| {
        let sources = b.par_chunks(SPAN).zip(c.par_chunks(SPAN));
        a.par_chunks_mut(SPAN).zip(sources).for_each(|(a, (b, c))| {
            for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
                *a = b + 3.0 * c;
            }
        });
        black_box(&a);
    });
    (3 * size_of::<f32>() * LENGTH) as f64 / seconds
}

/// The seconds of the fastest of several calls.
fn best(mut work: impl FnMut()) -> f64 {
    let timed = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    (0..REPEATS).map(timed).fold(f64::INFINITY, f64::min)
}
