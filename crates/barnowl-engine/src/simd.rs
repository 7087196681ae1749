//! Vectors of 16 lanes and the choice of instruction set at run time.
//!
//! The kernels are written over arrays of [`LANES`] numbers, which the compiler turns into one AVX-512, two AVX2 or four
//! SSE/NEON registers. [`dispatch!`] compiles a kernel once per instruction set and picks the best one that the
//! processor has, so the default build is fast everywhere.

/// The width of a block: one AVX-512 register of 32-bit floats.
pub const LANES: usize = 16;

/// A block of numbers that are computed side by side.
pub type Lanes = [f32; LANES];

/// `n` rounded up to whole blocks.
pub fn padded(n: usize) -> usize {
    n.next_multiple_of(LANES)
}

/// For every block of a layer's neurons, the bits of those that are not padding.
pub fn valid(neurons: usize) -> Vec<u16> {
    (0..padded(neurons) / LANES)
        .map(|block| u16::MAX >> LANES.saturating_sub(neurons - block * LANES))
        .collect()
}

/// The blocks of a slice whose length is a multiple of [`LANES`].
#[inline(always)]
pub fn blocks(values: &[f32]) -> &[Lanes] {
    values.as_chunks().0
}

/// The blocks of a mutable slice whose length is a multiple of [`LANES`].
#[inline(always)]
pub fn blocks_mut(values: &mut [f32]) -> &mut [Lanes] {
    values.as_chunks_mut().0
}

/// The instruction set that a kernel is compiled for: blocks held in registers.
///
/// Element-wise loops over [`Lanes`] vectorise by themselves; sums that must stay in registers across a loop do not,
/// and use these. A value of the type exists only inside functions that [`dispatch!`] compiled for the instruction
/// set, which is what makes its methods sound.
pub trait Isa: Copy {
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
    /// `a − b`.
    fn sub(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// `a · b`.
    fn mul(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// `a · b + c`, fused where the processor can.
    fn mul_add(self, a: Self::Block, b: Self::Block, c: Self::Block) -> Self::Block;
    /// `a · b − c`, fused where the processor can.
    fn mul_sub(self, a: Self::Block, b: Self::Block, c: Self::Block) -> Self::Block;
    /// `c − a · b`, fused where the processor can.
    fn sub_mul(self, a: Self::Block, b: Self::Block, c: Self::Block) -> Self::Block;
    /// `a / b`.
    fn div(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// The smaller of each pair.
    fn min(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// The larger of each pair.
    fn max(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// The sum of all lanes, in an order of its own.
    fn sum_of(self, a: Self::Block) -> f32;
    /// The largest of all lanes.
    fn max_of(self, a: Self::Block) -> f32;
    /// Bit `i` says whether lane `i` is positive.
    fn positive(self, a: Self::Block) -> u16;
    /// `a + b` in the lanes of `mask`, `a` in the others.
    fn add_where(self, mask: u16, a: Self::Block, b: Self::Block) -> Self::Block;
    /// `a − b` in the lanes of `mask`, `a` in the others.
    fn sub_where(self, mask: u16, a: Self::Block, b: Self::Block) -> Self::Block;
    /// `2ⁿ`, where the low bits of each lane hold the integer n as a bit pattern (see [`exp`]).
    fn power_of_two(self, n: Self::Block) -> Self::Block;
    /// Writes `first + i` for every bit `i` of `mask`, in order, to the start of `to`; anything to the rest of it.
    fn compress(self, mask: u16, first: u16, to: &mut [u16; LANES]);
    /// A matrix of 16 × 16 bits transposed: bit `i` of `masks[j]` becomes bit `j` of entry `i`.
    fn transpose(self, masks: &[u16; LANES]) -> [u16; LANES];
}

#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Isa, LANES, Lanes, compress_bits, max_of_lanes, sum_of_lanes};
    use std::arch::x86_64::*;

    /// AVX-512 with fused multiply-add.
    #[derive(Clone, Copy)]
    pub struct Avx512(());

    /// AVX2 with fused multiply-add.
    #[derive(Clone, Copy)]
    pub struct Avx2(());

    impl Avx512 {
        /// # Safety
        ///
        /// Only in a function that is compiled for AVX-512, on a processor that has it.
        #[inline(always)]
        pub unsafe fn new() -> Self {
            Self(())
        }
    }

    impl Avx2 {
        /// # Safety
        ///
        /// Only in a function that is compiled for AVX2 and FMA, on a processor that has them.
        #[inline(always)]
        pub unsafe fn new() -> Self {
            Self(())
        }
    }

    /// All bits of lane `i` set where bit `i` of `mask` is.
    ///
    /// # Safety
    ///
    /// Only where AVX2 is.
    #[inline(always)]
    unsafe fn lanes_of(mask: u16) -> [__m256; 2] {
        // SAFETY: AVX2 by the contract.
        unsafe {
            let bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            let half = |mask: i32| {
                let set = _mm256_and_si256(_mm256_set1_epi32(mask), bits);
                _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, bits))
            };
            [half(i32::from(mask & 0xff)), half(i32::from(mask >> 8))]
        }
    }

    /// The odd bits of 32, side by side.
    #[inline(always)]
    fn odd_bits(bits: u32) -> u16 {
        let bits = bits >> 1 & 0x5555_5555;
        let bits = (bits | bits >> 1) & 0x3333_3333;
        let bits = (bits | bits >> 2) & 0x0f0f_0f0f;
        let bits = (bits | bits >> 4) & 0x00ff_00ff;
        (bits | bits >> 8) as u16
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
        #[inline(always)]
        fn sub(self, a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_sub_ps(a, b) }
        }
        #[inline(always)]
        fn mul(self, a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_mul_ps(a, b) }
        }
        #[inline(always)]
        fn mul_sub(self, a: __m512, b: __m512, c: __m512) -> __m512 {
            unsafe { _mm512_fmsub_ps(a, b, c) }
        }
        #[inline(always)]
        fn sub_mul(self, a: __m512, b: __m512, c: __m512) -> __m512 {
            unsafe { _mm512_fnmadd_ps(a, b, c) }
        }
        #[inline(always)]
        fn div(self, a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_div_ps(a, b) }
        }
        #[inline(always)]
        fn min(self, a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_min_ps(a, b) }
        }
        #[inline(always)]
        fn max(self, a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_max_ps(a, b) }
        }
        #[inline(always)]
        fn sum_of(self, a: __m512) -> f32 {
            unsafe { _mm512_reduce_add_ps(a) }
        }
        #[inline(always)]
        fn max_of(self, a: __m512) -> f32 {
            unsafe { _mm512_reduce_max_ps(a) }
        }
        #[inline(always)]
        fn positive(self, a: __m512) -> u16 {
            unsafe { _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, _mm512_setzero_ps()) }
        }
        #[inline(always)]
        fn add_where(self, mask: u16, a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_mask_add_ps(a, mask, a, b) }
        }
        #[inline(always)]
        fn sub_where(self, mask: u16, a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_mask_sub_ps(a, mask, a, b) }
        }
        #[inline(always)]
        fn power_of_two(self, n: __m512) -> __m512 {
            unsafe {
                let exponent = _mm512_slli_epi32::<23>(_mm512_castps_si512(n));
                let one = _mm512_set1_epi32(0x3f80_0000);
                _mm512_castsi512_ps(_mm512_add_epi32(exponent, one))
            }
        }
        #[inline(always)]
        fn compress(self, mask: u16, first: u16, to: &mut [u16; LANES]) {
            unsafe {
                let lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
                let index = _mm512_add_epi32(lanes, _mm512_set1_epi32(i32::from(first)));
                let packed = _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(mask, index));
                _mm256_storeu_si256(to.as_mut_ptr().cast(), packed);
            }
        }
        #[inline(always)]
        fn transpose(self, masks: &[u16; LANES]) -> [u16; LANES] {
            let mut to = [0; LANES];
            unsafe {
                let mut masks = _mm256_loadu_si256(masks.as_ptr().cast());
                // The highest bit of every mask, then the next one.
                for lane in (0..LANES).rev() {
                    to[lane] = _mm256_movepi16_mask(masks);
                    masks = _mm256_add_epi16(masks, masks);
                }
            }
            to
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
        #[inline(always)]
        fn sub(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
            unsafe { [_mm256_sub_ps(a[0], b[0]), _mm256_sub_ps(a[1], b[1])] }
        }
        #[inline(always)]
        fn mul(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
            unsafe { [_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])] }
        }
        #[inline(always)]
        fn mul_sub(self, a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
            unsafe { [_mm256_fmsub_ps(a[0], b[0], c[0]), _mm256_fmsub_ps(a[1], b[1], c[1])] }
        }
        #[inline(always)]
        fn sub_mul(self, a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
            unsafe { [_mm256_fnmadd_ps(a[0], b[0], c[0]), _mm256_fnmadd_ps(a[1], b[1], c[1])] }
        }
        #[inline(always)]
        fn div(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
            unsafe { [_mm256_div_ps(a[0], b[0]), _mm256_div_ps(a[1], b[1])] }
        }
        #[inline(always)]
        fn min(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
            unsafe { [_mm256_min_ps(a[0], b[0]), _mm256_min_ps(a[1], b[1])] }
        }
        #[inline(always)]
        fn max(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
            unsafe { [_mm256_max_ps(a[0], b[0]), _mm256_max_ps(a[1], b[1])] }
        }
        #[inline(always)]
        fn sum_of(self, a: [__m256; 2]) -> f32 {
            let mut lanes = [0.0; LANES];
            self.store(a, &mut lanes);
            sum_of_lanes(&lanes)
        }
        #[inline(always)]
        fn max_of(self, a: [__m256; 2]) -> f32 {
            let mut lanes = [0.0; LANES];
            self.store(a, &mut lanes);
            max_of_lanes(&lanes)
        }
        #[inline(always)]
        fn positive(self, a: [__m256; 2]) -> u16 {
            unsafe {
                let half = |a| {
                    let positive = _mm256_cmp_ps::<_CMP_GT_OQ>(a, _mm256_setzero_ps());
                    _mm256_movemask_ps(positive) as u16
                };
                half(a[0]) | half(a[1]) << 8
            }
        }
        #[inline(always)]
        fn add_where(self, mask: u16, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
            unsafe {
                let [low, high] = lanes_of(mask);
                [
                    _mm256_blendv_ps(a[0], _mm256_add_ps(a[0], b[0]), low),
                    _mm256_blendv_ps(a[1], _mm256_add_ps(a[1], b[1]), high),
                ]
            }
        }
        #[inline(always)]
        fn sub_where(self, mask: u16, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
            unsafe {
                let [low, high] = lanes_of(mask);
                [
                    _mm256_blendv_ps(a[0], _mm256_sub_ps(a[0], b[0]), low),
                    _mm256_blendv_ps(a[1], _mm256_sub_ps(a[1], b[1]), high),
                ]
            }
        }
        #[inline(always)]
        fn power_of_two(self, n: [__m256; 2]) -> [__m256; 2] {
            // Twice by hand: a closure has no AVX2 of its own, and where it is not inlined, neither are these.
            unsafe {
                let one = _mm256_set1_epi32(0x3f80_0000);
                let low = _mm256_slli_epi32::<23>(_mm256_castps_si256(n[0]));
                let high = _mm256_slli_epi32::<23>(_mm256_castps_si256(n[1]));
                [
                    _mm256_castsi256_ps(_mm256_add_epi32(low, one)),
                    _mm256_castsi256_ps(_mm256_add_epi32(high, one)),
                ]
            }
        }
        #[inline(always)]
        fn compress(self, mask: u16, first: u16, to: &mut [u16; LANES]) {
            compress_bits(mask, first, to);
        }
        #[inline(always)]
        fn transpose(self, masks: &[u16; LANES]) -> [u16; LANES] {
            let mut to = [0; LANES];
            unsafe {
                let mut masks = _mm256_loadu_si256(masks.as_ptr().cast());
                for lane in (0..LANES).rev() {
                    // Of the 32 bits of the bytes, those of the high bytes count.
                    let bytes = _mm256_movemask_epi8(masks) as u32;
                    to[lane] = odd_bits(bytes);
                    masks = _mm256_add_epi16(masks, masks);
                }
            }
            to
        }
    }
}

/// Whatever the target has without asking: SSE2, NEON, …
#[derive(Clone, Copy)]
pub struct Portable;

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
    #[inline(always)]
    fn sub(self, a: Lanes, b: Lanes) -> Lanes {
        std::array::from_fn(|i| a[i] - b[i])
    }
    #[inline(always)]
    fn mul(self, a: Lanes, b: Lanes) -> Lanes {
        std::array::from_fn(|i| a[i] * b[i])
    }
    #[inline(always)]
    fn mul_sub(self, a: Lanes, b: Lanes, c: Lanes) -> Lanes {
        self.mul_add(a, b, c.map(|c| -c))
    }
    #[inline(always)]
    fn sub_mul(self, a: Lanes, b: Lanes, c: Lanes) -> Lanes {
        self.mul_add(a.map(|a| -a), b, c)
    }
    #[inline(always)]
    fn div(self, a: Lanes, b: Lanes) -> Lanes {
        std::array::from_fn(|i| a[i] / b[i])
    }
    #[inline(always)]
    fn min(self, a: Lanes, b: Lanes) -> Lanes {
        std::array::from_fn(|i| if a[i] < b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    fn max(self, a: Lanes, b: Lanes) -> Lanes {
        std::array::from_fn(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    fn sum_of(self, a: Lanes) -> f32 {
        sum_of_lanes(&a)
    }
    #[inline(always)]
    fn max_of(self, a: Lanes) -> f32 {
        max_of_lanes(&a)
    }
    #[inline(always)]
    fn positive(self, a: Lanes) -> u16 {
        let bits: [u16; LANES] = std::array::from_fn(|i| u16::from(a[i] > 0.0) << i);
        bits.iter().fold(0, |mask, bit| mask | bit)
    }
    #[inline(always)]
    fn add_where(self, mask: u16, a: Lanes, b: Lanes) -> Lanes {
        std::array::from_fn(|i| if mask >> i & 1 == 1 { a[i] + b[i] } else { a[i] })
    }
    #[inline(always)]
    fn sub_where(self, mask: u16, a: Lanes, b: Lanes) -> Lanes {
        std::array::from_fn(|i| if mask >> i & 1 == 1 { a[i] - b[i] } else { a[i] })
    }
    #[inline(always)]
    fn power_of_two(self, n: Lanes) -> Lanes {
        n.map(|n| f32::from_bits((n.to_bits() << 23).wrapping_add(0x3f80_0000)))
    }
    #[inline(always)]
    fn compress(self, mask: u16, first: u16, to: &mut [u16; LANES]) {
        compress_bits(mask, first, to);
    }
    #[inline(always)]
    fn transpose(self, masks: &[u16; LANES]) -> [u16; LANES] {
        std::array::from_fn(|lane| {
            (0..LANES).fold(0, |bits, row| bits | (masks[row] >> lane & 1) << row)
        })
    }
}

/// [`Isa::compress`], bit by bit.
#[inline(always)]
fn compress_bits(mut mask: u16, first: u16, to: &mut [u16; LANES]) {
    let mut count = 0;
    while mask != 0 {
        // A mask of 16 bits sets no more than the 16 places.
        to[count & (LANES - 1)] = first + mask.trailing_zeros() as u16;
        count += 1;
        mask &= mask - 1;
    }
}

/// `exp(x)` of every lane, to within 3 units in the last place; `exp(−87)` below −87, `exp(88)` above 88.
#[inline(always)]
pub fn exp<I: Isa, const N: usize>(isa: I, mut x: [I::Block; N]) -> [I::Block; N] {
    for x in &mut x {
        *x = isa.min(isa.max(*x, isa.splat(-87.0)), isa.splat(88.0));
    }
    exp_scaled(isa, x, 1.0)
}

/// `exp(scale · x)` of every lane, for `scale · x` between −87 and 88.
///
/// `2ⁿ 2ᶠ` with `n + f = scale · x / ln 2`, n an integer and |f| ≤ 1/2, and the Taylor series of 2ᶠ to f⁶. Several blocks
/// at a time: each step of one waits for the step before, and the processor has others to do meanwhile.
#[inline(always)]
pub fn exp_scaled<I: Isa, const N: usize>(isa: I, x: [I::Block; N], scale: f32) -> [I::Block; N] {
    // 1.5 · 2²³: adding it rounds to the nearest integer, which then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    /// (ln 2)ᵏ / k!
    const C: [f32; 7] = [
        1.0,
        std::f32::consts::LN_2,
        0.240_226_5,
        0.055_504_11,
        0.009_618_129,
        0.001_333_355_8,
        0.000_154_035_3,
    ];
    let mut c = [isa.splat(0.0); C.len()];
    for (c, value) in c.iter_mut().zip(C) {
        *c = isa.splat(value);
    }
    let base_2 = isa.splat(scale * std::f32::consts::LOG2_E);
    let (mut shifted, mut f, mut p) = (x, x, x);
    for i in 0..N {
        shifted[i] = isa.mul_add(x[i], base_2, isa.splat(ROUND));
    }
    for i in 0..N {
        f[i] = isa.mul_sub(x[i], base_2, isa.sub(shifted[i], isa.splat(ROUND)));
    }
    for i in 0..N {
        let f2 = isa.mul(f[i], f[i]);
        let high = isa.mul_add(f2, c[6], isa.mul_add(f[i], c[5], c[4]));
        let low = isa.mul_add(f[i], c[1], c[0]);
        let high = isa.mul_add(f2, high, isa.mul_add(f[i], c[3], c[2]));
        p[i] = isa.mul_add(f2, high, low);
    }
    for i in 0..N {
        p[i] = isa.mul(p[i], isa.power_of_two(shifted[i]));
    }
    p
}

/// The largest of all lanes.
#[inline(always)]
fn max_of_lanes(block: &Lanes) -> f32 {
    let larger = |a: f32, b: f32| if a > b { a } else { b };
    let mut lanes = *block;
    for width in [8, 4, 2, 1] {
        for i in 0..width {
            lanes[i] = larger(lanes[i], lanes[i + width]);
        }
    }
    lanes[0]
}

/// The sum of all lanes, in a fixed order.
#[inline(always)]
fn sum_of_lanes(block: &Lanes) -> f32 {
    let eight: [f32; 8] = std::array::from_fn(|i| block[i] + block[i + 8]);
    let four: [f32; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

/// A choice that is made when a kernel is compiled: [`dispatch!`] infers types, not constants.
pub trait Flag: Copy {
    /// Yes or no.
    const ON: bool;
}

/// Yes.
#[derive(Clone, Copy)]
pub struct On;

/// No.
#[derive(Clone, Copy)]
pub struct Off;

impl Flag for On {
    const ON: bool = true;
}

impl Flag for Off {
    const ON: bool = false;
}

/// Defines `fn $name(arguments…)` that runs `$kernel::<Isa>(arguments…)` compiled for the best instruction set here.
///
/// `$kernel` must be `#[inline(always)]` throughout, or its loops stay at the baseline.
#[macro_export]
macro_rules! dispatch {
    ($(#[$meta:meta])* $vis:vis fn $name:ident $([$($generic:tt)*])? ($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? = $kernel:ident) => {
        $(#[$meta])*
        $vis fn $name $(<$($generic)*>)? ($($arg: $type),*) $(-> $out)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn avx512 $(<$($generic)*>)? ($($arg: $type),*) $(-> $out)? {
                    // SAFETY: compiled for AVX-512, and called only where the processor has it.
                    let isa = unsafe { $crate::simd::Avx512::new() };
                    $kernel(isa, $($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2 $(<$($generic)*>)? ($($arg: $type),*) $(-> $out)? {
                    // SAFETY: compiled for AVX2 and FMA, and called only where the processor has them.
                    let isa = unsafe { $crate::simd::Avx2::new() };
                    $kernel(isa, $($arg),*)
                }
                match $crate::level::level() {
                    $crate::level::Level::Avx512 => {
                        // SAFETY: the processor has every feature that the function is compiled for.
                        return unsafe { avx512($($arg),*) };
                    }
                    $crate::level::Level::Avx2 => {
                        // SAFETY: the processor has every feature that the function is compiled for.
                        return unsafe { avx2($($arg),*) };
                    }
                    $crate::level::Level::Portable => {}
                }
            }
            $kernel($crate::simd::Portable, $($arg),*)
        }
    };
}
pub use dispatch;
