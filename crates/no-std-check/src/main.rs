//! A program without the standard library, the C library or an allocator but its own, which runs an adaptive neuron, and
//! one that it builds from its equations.
//!
//! That it links is the proof; that it exits with status 0 says that both neurons spiked. x86-64 and AArch64 Linux.

#![no_std]
#![no_main]

extern crate alloc;

mod memory;

use alloc::string::String;
use alloc::vec;
use barnowl_model::{Model, Neuron, Parameter, Source, Text, Variant};
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
    let layer = AlifLayer { input, bias: &[0.0; 2], recurrent: None, neurons: &neurons };
    let mut state = [AlifState::at_rest(0.01); 2];
    let (mut current, mut out) = ([0.0; 2], [0.0; 2]);
    (0..100).map(|_| layer.step(&[black_box(1.0)], &mut state, &mut current, &mut out)).sum()
}

/// Whether a neuron that is read from its equations spikes in one step.
fn model_spikes() -> bool {
    let source = Source {
        name: Text::new("lif"),
        title: String::new(),
        source: String::new(),
        variants: vec![Variant::only("u = alpha*u' + I - s'\ns = spike(u - 1)")],
        membrane: None,
        constants: vec![],
        parameters: vec![Parameter::new("alpha", 0.9)],
        values: vec![],
    };
    let Ok(model) = Model::build(source) else {
        return false;
    };
    let mut neuron = Neuron::new(&model, &model.middle(), 1.0);
    neuron.step(black_box(0.5)) == 0.0 && neuron.step(black_box(2.0)) == 1.0
}

// The entry point: a call, because it leaves the stack aligned as compiled functions expect it.
#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(".globl _start", "_start:", "call {run}", run = sym run);
#[cfg(target_arch = "aarch64")]
core::arch::global_asm!(".globl _start", "_start:", "bl {run}", run = sym run);

extern "C" fn run() -> ! {
    // `barnowl-neuron` needs no allocator, `barnowl-model` one.
    match (spikes() > 0, model_spikes()) {
        (true, true) => exit(0),
        (false, _) => exit(1),
        (true, false) => exit(2),
    }
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
