//! A program without the standard library, the C library or an allocator, which runs an adaptive neuron.
//!
//! That it links is the proof; that it exits with status 0 says that the neuron spiked. x86-64 and AArch64 Linux.

#![no_std]
#![no_main]

use barnowl_neuron::{AlifLayer, AlifParameters, AlifState, Threshold, Weights};
use core::hint::black_box;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    exit(101)
}

/// 100 steps of two neurons under constant input.
fn spikes() -> usize {
    let neurons = [AlifParameters::new(black_box(20.0), 100.0, 1.0, Threshold::default()); 2];
    let Some(input) = Weights::new(&[0.5, 1.0], 2) else {
        return 0;
    };
    let layer = AlifLayer {
        input,
        bias: &[0.0; 2],
        recurrent: None,
        neurons: &neurons,
    };
    let mut state = [AlifState::at_rest(0.01); 2];
    let (mut current, mut out) = ([0.0; 2], [0.0; 2]);
    (0..100)
        .map(|_| layer.step(&[black_box(1.0)], &mut state, &mut current, &mut out))
        .sum()
}

// The entry point: a call, because it leaves the stack aligned as compiled functions expect it.
#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(".globl _start", "_start:", "call {run}", run = sym run);
#[cfg(target_arch = "aarch64")]
core::arch::global_asm!(".globl _start", "_start:", "bl {run}", run = sym run);

extern "C" fn run() -> ! {
    exit(if spikes() > 0 { 0 } else { 1 })
}

/// Ends the process by a system call, since there is no C library to do it.
fn exit(status: usize) -> ! {
    loop {
        // SAFETY: `exit_group` takes one integer, touches no memory of ours and does not return.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            core::arch::asm!("syscall", in("rax") 231, in("rdi") status);
            #[cfg(target_arch = "aarch64")]
            core::arch::asm!("svc 0", in("x8") 94, in("x0") status);
        }
    }
}

/// `memcpy`, `memset` and `memcmp` come from the C library or from here; the compiler calls them by name.
mod memory {
    // SAFETY: the C contract of `memcpy`: both ranges are valid for `n` bytes and do not overlap.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
        for i in 0..n {
            // SAFETY: `i < n`. Volatile, so that the loop is not turned into a call of itself.
            unsafe { to.add(i).write_volatile(from.add(i).read()) }
        }
        to
    }

    // SAFETY: the C contract of `memset`: the range is valid for `n` bytes.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memset(to: *mut u8, value: i32, n: usize) -> *mut u8 {
        for i in 0..n {
            // SAFETY: `i < n`. Volatile, so that the loop is not turned into a call of itself.
            unsafe { to.add(i).write_volatile(value as u8) }
        }
        to
    }
}
