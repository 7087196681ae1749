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

/// What a kernel knows about the instruction set that it is compiled for.
pub(super) trait Isa: Copy {
    /// Registers per block of 16 lanes; decides how many accumulators fit.
    const REGISTERS_PER_BLOCK: usize;

    /// `a · b + c`, fused where the processor can: where it can't, the fused form would call a slow function.
    fn mul_add(a: f32, b: f32, c: f32) -> f32;
}

/// AVX-512 with fused multiply-add.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) struct Avx512;

/// AVX2 with fused multiply-add.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) struct Avx2;

/// Whatever the target has without asking: SSE2, NEON, …
#[derive(Clone, Copy)]
pub(super) struct Portable;

#[cfg(target_arch = "x86_64")]
impl Isa for Avx512 {
    const REGISTERS_PER_BLOCK: usize = 1;

    #[inline(always)]
    fn mul_add(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }
}

#[cfg(target_arch = "x86_64")]
impl Isa for Avx2 {
    const REGISTERS_PER_BLOCK: usize = 2;

    #[inline(always)]
    fn mul_add(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }
}

impl Isa for Portable {
    const REGISTERS_PER_BLOCK: usize = 4;

    #[inline(always)]
    fn mul_add(a: f32, b: f32, c: f32) -> f32 {
        if cfg!(target_feature = "fma") || cfg!(target_arch = "aarch64") {
            a.mul_add(b, c)
        } else {
            a * b + c
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
                    $kernel($crate::sequence::flex::simd::Avx512, $($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2 $(<$($generic)*>)? ($($arg: $type),*) $(-> $out)? {
                    $kernel($crate::sequence::flex::simd::Avx2, $($arg),*)
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
