//! Vectors of 16 lanes and the choice of instruction set at run time.
//!
//! The kernels are written over arrays of [`LANES`] numbers, which the compiler turns into one AVX-512, two AVX2 or four
//! SSE/NEON registers. [`dispatch!`] compiles a kernel once per instruction set and picks the best one that the
//! processor has, so the default build is fast everywhere.

/// The width of a block: one AVX-512 register of 32-bit floats.
pub(super) const LANES: usize = 16;

/// A block of numbers that are computed side by side.
pub(super) type Lanes = [f32; LANES];

/// `n` rounded up to whole blocks.
pub(super) fn padded(n: usize) -> usize {
    n.next_multiple_of(LANES)
}

/// The blocks of a slice whose length is a multiple of [`LANES`].
#[inline(always)]
pub(super) fn blocks(values: &[f32]) -> &[Lanes] {
    values.as_chunks().0
}

/// The blocks of a mutable slice whose length is a multiple of [`LANES`].
#[inline(always)]
pub(super) fn blocks_mut(values: &mut [f32]) -> &mut [Lanes] {
    values.as_chunks_mut().0
}

/// Visits the blocks of one row of a packed `[rows, neurons]` array, zero beyond the row's end.
///
/// Rows are not padded in memory. A block that runs over the row's end is read whole where the array goes on, and the
/// lanes beyond are cleared, which is far cheaper than copying an odd number of values.
#[inline(always)]
pub(super) fn for_each_block(
    packed: &[f32],
    start: usize,
    neurons: usize,
    mut visit: impl FnMut(usize, Lanes),
) {
    for (k, at) in (0..neurons).step_by(LANES).enumerate() {
        let valid = neurons - at;
        let mut block = match packed[start + at..].first_chunk::<LANES>() {
            Some(block) => *block,
            None => {
                let mut block = [0.0; LANES];
                block[..valid].copy_from_slice(&packed[start + at..start + neurons]);
                block
            }
        };
        if valid < LANES {
            for (i, lane) in block.iter_mut().enumerate() {
                *lane = if i < valid { *lane } else { 0.0 };
            }
        }
        visit(k, block);
    }
}

/// Copies the rows of a padded `[rows, width]` array to a packed `[rows, neurons]` one.
///
/// Row by row in order, whole blocks at a time: what runs over a row's end is overwritten by the next row.
#[inline(always)]
pub(super) fn pack(padded: &[f32], width: usize, packed: &mut [f32], neurons: usize) {
    for (row, values) in padded.chunks_exact(width).enumerate() {
        let start = row * neurons;
        if start + width <= packed.len() {
            let to = &mut packed[start..start + width];
            for (to, from) in blocks_mut(to).iter_mut().zip(blocks(values)) {
                *to = *from;
            }
        } else {
            packed[start..start + neurons].copy_from_slice(&values[..neurons]);
        }
    }
}

/// The instruction set that a kernel is compiled for: blocks held in registers.
///
/// Element-wise loops over [`Lanes`] vectorise by themselves; sums that must stay in registers across a loop do not,
/// and use these. A value of the type exists only inside functions that [`dispatch!`] compiled for the instruction
/// set, which is what makes its methods sound.
pub(super) trait Isa: Copy {
    /// A block in registers.
    type Block: Copy;
    /// Registers per block; decides how many accumulators fit.
    const REGISTERS: usize;

    /// All lanes `x`.
    fn splat(self, x: f32) -> Self::Block;
    /// Reads a block.
    fn load(self, from: &Lanes) -> Self::Block;
    /// Writes a block.
    fn store(self, block: Self::Block, to: &mut Lanes);
    /// `a + b`.
    fn add(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// `a · b + c`, fused where the processor can.
    fn mul_add(self, a: Self::Block, b: Self::Block, c: Self::Block) -> Self::Block;
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Isa, Lanes};
    use std::arch::x86_64::*;

    /// AVX-512 with fused multiply-add.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx512(());

    /// AVX2 with fused multiply-add.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx2(());

    impl Avx512 {
        /// # Safety
        ///
        /// Only in a function that is compiled for AVX-512, on a processor that has it.
        #[inline(always)]
        pub(in super::super) unsafe fn new() -> Self {
            Self(())
        }
    }

    impl Avx2 {
        /// # Safety
        ///
        /// Only in a function that is compiled for AVX2 and FMA, on a processor that has them.
        #[inline(always)]
        pub(in super::super) unsafe fn new() -> Self {
            Self(())
        }
    }

    // SAFETY of all intrinsics below: `self` is proof that the processor has the instructions; the pointers are those
    // of whole arrays of 16 floats.
    #[allow(clippy::undocumented_unsafe_blocks, reason = "one reason for all, above")]
    impl Isa for Avx512 {
        type Block = __m512;
        const REGISTERS: usize = 1;

        #[inline(always)]
        fn splat(self, x: f32) -> __m512 {
            unsafe { _mm512_set1_ps(x) }
        }
        #[inline(always)]
        fn load(self, from: &Lanes) -> __m512 {
            unsafe { _mm512_loadu_ps(from.as_ptr()) }
        }
        #[inline(always)]
        fn store(self, block: __m512, to: &mut Lanes) {
            unsafe { _mm512_storeu_ps(to.as_mut_ptr(), block) }
        }
        #[inline(always)]
        fn add(self, a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_add_ps(a, b) }
        }
        #[inline(always)]
        fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
            unsafe { _mm512_fmadd_ps(a, b, c) }
        }
    }

    #[allow(clippy::undocumented_unsafe_blocks, reason = "one reason for all, above")]
    impl Isa for Avx2 {
        type Block = [__m256; 2];
        const REGISTERS: usize = 2;

        #[inline(always)]
        fn splat(self, x: f32) -> [__m256; 2] {
            unsafe { [_mm256_set1_ps(x); 2] }
        }
        #[inline(always)]
        fn load(self, from: &Lanes) -> [__m256; 2] {
            unsafe { [_mm256_loadu_ps(from.as_ptr()), _mm256_loadu_ps(from.as_ptr().add(8))] }
        }
        #[inline(always)]
        fn store(self, block: [__m256; 2], to: &mut Lanes) {
            unsafe {
                _mm256_storeu_ps(to.as_mut_ptr(), block[0]);
                _mm256_storeu_ps(to.as_mut_ptr().add(8), block[1]);
            }
        }
        #[inline(always)]
        fn add(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
            unsafe { [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])] }
        }
        #[inline(always)]
        fn mul_add(self, a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
            unsafe { [_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])] }
        }
    }
}

/// Whatever the target has without asking: SSE2, NEON, …
#[derive(Clone, Copy)]
pub(super) struct Portable;

impl Isa for Portable {
    type Block = Lanes;
    const REGISTERS: usize = 4;

    #[inline(always)]
    fn splat(self, x: f32) -> Lanes {
        [x; LANES]
    }
    #[inline(always)]
    fn load(self, from: &Lanes) -> Lanes {
        *from
    }
    #[inline(always)]
    fn store(self, block: Lanes, to: &mut Lanes) {
        *to = block;
    }
    #[inline(always)]
    fn add(self, a: Lanes, b: Lanes) -> Lanes {
        std::array::from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    fn mul_add(self, a: Lanes, b: Lanes, c: Lanes) -> Lanes {
        // Without the instruction, the fused form would call a slow function.
        if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
            std::array::from_fn(|i| a[i].mul_add(b[i], c[i]))
        } else {
            std::array::from_fn(|i| a[i] * b[i] + c[i])
        }
    }
}

/// Defines `fn $name(arguments…)` that runs `$kernel::<Isa>(arguments…)` compiled for the best instruction set here.
///
/// `$kernel` must be `#[inline(always)]` throughout, or its loops stay at the baseline.
macro_rules! dispatch {
    ($(#[$meta:meta])* $vis:vis fn $name:ident $([$($generic:tt)*])? ($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? = $kernel:ident) => {
        $(#[$meta])*
        $vis fn $name $(<$($generic)*>)? ($($arg: $type),*) $(-> $out)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn avx512 $(<$($generic)*>)? ($($arg: $type),*) $(-> $out)? {
                    // SAFETY: compiled for AVX-512, and called only where the processor has it.
                    let isa = unsafe { $crate::sequence::flex::simd::Avx512::new() };
                    $kernel(isa, $($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2 $(<$($generic)*>)? ($($arg: $type),*) $(-> $out)? {
                    // SAFETY: compiled for AVX2 and FMA, and called only where the processor has them.
                    let isa = unsafe { $crate::sequence::flex::simd::Avx2::new() };
                    $kernel(isa, $($arg),*)
                }
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("fma")
                {
                    // SAFETY: the processor has every feature that the function is compiled for.
                    return unsafe { avx512($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the processor has every feature that the function is compiled for.
                    return unsafe { avx2($($arg),*) };
                }
            }
            $kernel($crate::sequence::flex::simd::Portable, $($arg),*)
        }
    };
}
pub(super) use dispatch;
